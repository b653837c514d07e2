import { execFileSync } from 'node:child_process';
import { SYSTEM_PYTHON } from './oracle.ts';
import type { Digests } from './nova-releases.ts';

export interface NovaPieces {
  readonly pieces: Digests;
  /** Option → its default, as Nova's source has it. */
  readonly defaults: Readonly<Record<string, string | null>>;
}

/** What the source of a Nova consists of, as far as Basekeeper is compared with it. `directory`: of the package `nova`. */
export function piecesOf(directory: string, python = SYSTEM_PYTHON): NovaPieces {
  const script = new URL('nova-pieces.py', import.meta.url).pathname;
  return JSON.parse(execFileSync(python, [script, directory], { encoding: 'utf8' })) as NovaPieces;
}
