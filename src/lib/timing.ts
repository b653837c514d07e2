import { sleep } from './sleep.ts';

/** How publishers wait and roll dice; tests bring their own. */
export interface Timing {
  /** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

export const systemTiming: Timing = { sleep, random: Math.random };
