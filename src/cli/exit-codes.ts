import type { PassResult } from '../model/reasons.ts';

/** What the process ends with; part of the documented interface. */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  /** Wrong use, or a configuration with mistakes. */
  usage: 2,
  /** Something is removable, but the gate is closed. */
  held: 3,
} as const;

/** The exit code that a pass comes to. */
export function exitCodeOf(result: PassResult): number {
  if (result === 'Failed') return EXIT_CODES.failed;
  return result === 'Held' ? EXIT_CODES.held : EXIT_CODES.done;
}
