import type { Output } from './io.ts';

/** One line to stderr. */
export function say(stderr: Output, text: string): void {
  stderr.write(`${text}\n`);
}
