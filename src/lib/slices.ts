import { setImmediate } from 'node:timers/promises';

/** How long slices are joined before the event loop turns, in milliseconds. */
const TURN_MS = 3;

/** Runs work that yields, and lets the event loop turn every few milliseconds. Throws the signal's reason once it is aborted. */
export async function inSlices<T>(steps: Generator<undefined, T, undefined>, signal: AbortSignal | undefined): Promise<T> {
  let turnedMs = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - turnedMs < TURN_MS) continue;
    await setImmediate();
    signal?.throwIfAborted();
    turnedMs = performance.now();
  }
}
