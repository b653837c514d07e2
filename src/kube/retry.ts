import { KubeApiError } from './errors.ts';
import type { Timing } from '../lib/timing.ts';

const ATTEMPTS = 6;

/** How long a back-off lasts, before jitter and `Retry-After`. */
export interface BackoffLimits {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

const WRITES: BackoffLimits = { minDelayMs: 1000, maxDelayMs: 60_000 };

/**
 * Sends until it succeeds, with an exponential back-off with jitter on top of the server's Retry-After between attempts, never less than
 * a second. Throws the last error after 6 attempts, when another attempt cannot help, or when the signal aborts.
 */
export async function sendWithRetries<T>(send: () => Promise<T>, timing: Timing, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt >= ATTEMPTS || signal.aborted || !isWorthRetrying(error)) throw error;
      const delayMs = backoffMs(attempt, error.retryAfterSeconds, WRITES, () => timing.random());
      await timing.sleep(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Throttled, broken on the server's side, or not answered at all. */
export function isWorthRetrying(error: unknown): error is KubeApiError {
  if (!(error instanceof KubeApiError) || error.reason === 'Aborted' || error.reason === 'Closed') return false;
  return error.status === undefined || error.status === 429 || error.status >= 500;
}

/** Longest `Retry-After` that is believed. */
const MAX_RETRY_AFTER_SECONDS = 600;

/** Full jitter over an exponential: between `minDelayMs` and the smaller of `minDelayMs * 2^failures` and the cap, plus `Retry-After`. */
export function backoffMs(failures: number, retryAfterSeconds: number | undefined, limits: BackoffLimits, random: () => number): number {
  const ceiling = Math.min(limits.maxDelayMs, limits.minDelayMs * 2 ** Math.min(failures, 30));
  const after = Math.min(retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS) * 1000;
  return Math.round(after + limits.minDelayMs + random() * ceiling);
}
