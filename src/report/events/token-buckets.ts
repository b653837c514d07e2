export interface BucketOptions {
  readonly burst: number;
  readonly secondsPerToken: number;
  /** Buckets that are kept; the one unused for longest goes first. */
  readonly maxBuckets: number;
}

/** A token bucket per key. Mirrors client-go `tools/record` `EventSourceObjectSpamFilter`: an LRU of 4096 buckets. */
export interface TokenBuckets {
  /** Takes a token; false when there is none. `nowMs` is monotonic. */
  take(key: string, nowMs: number): boolean;
}

export function createTokenBuckets({ burst, secondsPerToken, maxBuckets }: BucketOptions): TokenBuckets {
  const buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();
  return {
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs };
      const refilled = Math.min(burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / 1000 / secondsPerToken);
      const isTaken = refilled >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: isTaken ? refilled - 1 : refilled, atMs: nowMs });
      const [oldest] = buckets.keys();
      if (buckets.size > maxBuckets && oldest !== undefined) buckets.delete(oldest);
      return isTaken;
    },
  };
}
