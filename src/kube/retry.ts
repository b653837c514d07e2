import { KubeApiError } from './errors.ts';
import type { Timing } from '../lib/timing.ts';

const ATTEMPTS = 6;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;

/**
 * Sends until it succeeds: waits for the server's Retry-After, else backs off exponentially with full jitter, never less than
 * a second. Throws the last error after 6 attempts, when another attempt cannot help, or when the signal aborts.
 */
export async function sendWithRetries<T>(send: () => Promise<T>, timing: Timing, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt >= ATTEMPTS || signal.aborted || !isWorthRetrying(error)) throw error;
      await timing.sleep(
        backoffMs(error, attempt, () => timing.random()),
        signal,
      );
      if (signal.aborted) throw error;
    }
  }
}

/** Throttled, broken on the server's side, or not answered at all. */
export function isWorthRetrying(error: unknown): error is KubeApiError {
  if (!(error instanceof KubeApiError) || error.reason === 'Aborted' || error.reason === 'Closed') return false;
  return error.status === undefined || error.status === 429 || error.status >= 500;
}

function backoffMs(error: KubeApiError, attempt: number, random: () => number): number {
  if (error.retryAfterSeconds !== undefined) {
    const afterMs = Math.min(Math.max(error.retryAfterSeconds * 1000, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS);
    return afterMs * (1 + random());
  }
  const ceilingMs = Math.min(FIRST_BACKOFF_MS * 2 ** attempt, LONGEST_BACKOFF_MS);
  return FIRST_BACKOFF_MS + random() * (ceilingMs - FIRST_BACKOFF_MS);
}
