import type { ClockReading } from '../model/snapshot.ts';
import type { Clock } from '../model/ports.ts';

/** The machine's clocks: wall time, and CLOCK_MONOTONIC since the process started. */
export const systemClock: Clock = {
  now(): ClockReading {
    return { wallMs: Date.now(), monotonicMs: performance.now() };
  },
};
