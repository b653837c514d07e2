import { setTimeout as delay } from 'node:timers/promises';

/** The longest delay that a timer takes; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Resolves after `ms`, or as soon as the signal aborts: an abort is not an error here. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  try {
    await delay(Math.min(Math.max(ms, 0), LONGEST_MS), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
}
