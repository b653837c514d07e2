import type { Clock } from '../model/ports.ts';

export interface SharedAnswerOptions<T> {
  readonly clock: Clock;
  /** An answer that is not older is given again, without asking. It may depend on the answer: one that is about to change stays fresh for less. */
  readonly freshMs: (value: T) => number;
  /** Nobody waits longer for a new answer. */
  readonly waitMs: number;
  /** An answer that is older is not given any more. */
  readonly staleMs: number;
}

/**
 * For questions that strangers may ask as often as they like, while the answer takes locks and reads files: it is asked for once at a time, and
 * one who waits too long gets the one before. Undefined: nothing has answered for `staleMs`.
 */
export function sharedAnswer<T>(ask: () => Promise<T>, options: SharedAnswerOptions<T>): () => Promise<T | undefined> {
  const { clock, freshMs, waitMs, staleMs } = options;
  let last: { readonly value: T; readonly atMs: number } | undefined;
  let asking: Promise<void> | undefined;
  const known = (limitMs: number) => (last !== undefined && clock.now().monotonicMs - last.atMs <= limitMs ? last : undefined);
  async function askNow(): Promise<void> {
    try {
      const value = await ask();
      last = { value, atMs: clock.now().monotonicMs };
    } finally {
      asking = undefined;
    }
  }
  return async () => {
    if (last === undefined || known(freshMs(last.value)) === undefined) {
      asking ??= askNow();
      await within(waitMs, asking);
    }
    return known(staleMs)?.value;
  };
}

/** Until the work ends or the time is over; the work goes on. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(over.resolve, ms, undefined);
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
