import { describe, expect, it } from 'vitest';
import { createTokenBuckets } from '../../../../src/report/events/token-buckets.ts';

describe('a token bucket', () => {
  const options = { burst: 2, secondsPerToken: 10, maxBuckets: 3 };

  it('should give its burst at once, then a token each time one is due', () => {
    const buckets = createTokenBuckets(options);
    const taken = [0, 0, 0, 9_999, 10_000, 10_001, 20_000].map((nowMs) => buckets.take('a', nowMs));
    expect(taken).toEqual([true, true, false, false, true, false, true]);
  });

  it('should hold no more than its burst, however long it was left alone', () => {
    const buckets = createTokenBuckets(options);
    expect([0, 0, 1e9, 1e9, 1e9].map((nowMs) => buckets.take('a', nowMs))).toEqual([true, true, true, true, false]);
  });

  it('should not lose what it holds when it is asked too early', () => {
    const buckets = createTokenBuckets(options);
    const taken = [0, 0, 4000, 8000, 10_000].map((nowMs) => buckets.take('a', nowMs));
    expect(taken).toEqual([true, true, false, false, true]);
  });

  it('should give nothing for a clock that went back', () => {
    const buckets = createTokenBuckets(options);
    expect([5000, 5000, 0, 5000].map((nowMs) => buckets.take('a', nowMs))).toEqual([true, true, false, false]);
  });

  it('should be one of its own for each key', () => {
    const buckets = createTokenBuckets(options);
    expect(['a', 'a', 'a', 'b'].map((key) => buckets.take(key, 0))).toEqual([true, true, false, true]);
  });

  it('should be forgotten when so many others have been used since', () => {
    const buckets = createTokenBuckets(options);
    expect(['a', 'a', 'b', 'c', 'a', 'd', 'a'].map((key) => buckets.take(key, 0))).toEqual([true, true, true, true, false, true, false]);
    expect(['b', 'b', 'b'].map((key) => buckets.take(key, 0))).toEqual([true, true, false]);
  });
});
