import { pipeline } from 'node:stream/promises';
import { Readable, type Writable } from 'node:stream';
import { errnoOf } from '../lib/errors.ts';

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** What a command reads from and writes to. Results go to stdout, everything else to stderr. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Writes a result with back-pressure. A reader that has seen enough (`| head`) is not an error: the rest is dropped. */
export async function writeResult(output: Output, pieces: Iterable<string>): Promise<void> {
  if (output.destroyed || output.errored !== null) return;
  try {
    await pipeline(Readable.from(pieces), output, { end: false });
  } catch (error) {
    if (errnoOf(error) !== 'EPIPE' && errnoOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** True where colours help: on a terminal that has them, unless NO_COLOR says no; FORCE_COLOR says yes even in a pipe. */
export function wantsColour(output: Output, env: Environment): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

/** Columns of the terminal; undefined where the output is not a terminal. */
export function widthOfTerminal(output: Output): number | undefined {
  return output.isTTY === true && output.columns !== undefined && output.columns > 0 ? output.columns : undefined;
}

/** One line to stderr. */
export function say(stderr: Output, text: string): void {
  stderr.write(`${text}\n`);
}
