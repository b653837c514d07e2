import process from 'node:process';

/** Above this, to collect everything at once would hold up probes: with 12 MiB in use it takes some 40 ms. */
export const MAX_TIDY_BYTES: number = 32 * 2 ** 20;

/**
 * What a pass has left goes back to the kernel, and the code that only starts an agent with it, where Node.js runs with `--expose-gc`, as in the image.
 * An agent waits most of the time, and V8 collects only while something is made. Returns whether it did so.
 */
export function tidyHeap(): boolean {
  const { heapUsed, external } = process.memoryUsage();
  if (globalThis.gc === undefined || heapUsed + external > MAX_TIDY_BYTES) return false;
  globalThis.gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  return true;
}
