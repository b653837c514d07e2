import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { World } from './world.ts';

const CHILD = fileURLToPath(new URL('pass-child.ts', import.meta.url));
const SEGMENT = /ledger-\d+\.jsonl>/;

export interface LedgerOrder {
  /** Names of base files, as they go. */
  readonly gone: readonly string[];
  /** Of these, the ones that went while records were not on disk yet. */
  readonly early: readonly string[];
  /** How often the disk was waited for. */
  readonly waits: number;
}

/** What a pass of the sources writes to the ledger, waits for and removes, in this order, as the kernel sees it. */
export function ledgerOrderOf({ tree, workloadsPath }: World): LedgerOrder {
  const trace = tree.path('../trace');
  const watched = ['-f', '-qq', '-y', '-o', trace, '-e', 'trace=pwrite64,fdatasync,unlink'];
  const { status, stderr } = spawnSync('strace', [...watched, process.execPath, CHILD, tree.instancesPath, workloadsPath, '0']);
  if (status !== 0) throw new Error(`strace ended with ${status}: ${stderr.toString()}`);
  const [gone, early]: [string[], string[]] = [[], []];
  let waits = 0;
  let isDirty = false;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    if (/ pwrite64\(/.test(line) && SEGMENT.test(line)) isDirty = true;
    // What is waited for is waited for in another thread, so its end has a line of its own.
    if (/fdatasync(?: resumed>|\(.*)\) *= 0$/.test(line)) {
      waits += 1;
      isDirty = false;
    }
    const name = / unlink\("\/proc\/self\/fd\/\d+\/([0-9a-f]{40})"\) *= 0/.exec(line)?.[1];
    if (name === undefined) continue;
    gone.push(name);
    if (isDirty) early.push(name);
  }
  return { gone, early, waits };
}
