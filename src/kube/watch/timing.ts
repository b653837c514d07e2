/** All times of a reflector. The defaults keep an idle agent at about one request per watch and 450 s. */
export interface ReflectorTiming {
  /** No two attempts are closer than this. */
  readonly minDelayMs: number;
  /** Cap of the exponential back-off, before jitter. */
  readonly maxDelayMs: number;
  /** After a connection broke, clients come back spread over this time: an API server that restarts meets no herd. */
  readonly reconnectSpreadMs: number;
  /** A watch's `timeoutSeconds` is drawn from this range. */
  readonly watchSeconds: readonly [number, number];
  /** A watch that the API server has not ended so long after its time is broken off: a stream may trickle on without ever completing an event. */
  readonly watchGraceMs: number;
  /** A watch without any data for this long is broken off: the API server sends a bookmark about once a minute. */
  readonly idleTimeoutMs: number;
  /** An API that does not exist is looked for again after a time from this range. */
  readonly absentProbeMs: readonly [number, number];
  /** Reported as `freshLimitMs`. */
  readonly freshLimitMs: number;
  /** Reported as `freshLimitMs` while the API does not exist; must exceed twice the probe range. */
  readonly absentFreshLimitMs: number;
  readonly pageSize: number;
}

export const DEFAULT_REFLECTOR_TIMING: ReflectorTiming = {
  minDelayMs: 1000,
  maxDelayMs: 60_000,
  reconnectSpreadMs: 60_000,
  watchSeconds: [300, 600],
  watchGraceMs: 60_000,
  idleTimeoutMs: 150_000,
  absentProbeMs: [150_000, 290_000],
  freshLimitMs: 300_000,
  absentFreshLimitMs: 600_000,
  pageSize: 500,
};

/** A whole number from a range, both ends included. */
export function between([low, high]: readonly [number, number], random: () => number): number {
  return Math.min(high, Math.floor(low + random() * (high - low + 1)));
}
