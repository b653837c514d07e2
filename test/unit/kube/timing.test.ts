import { describe, expect, it } from 'vitest';
import { DEFAULT_REFLECTOR_TIMING, between, createReconnectSpread } from '../../../src/kube/timing.ts';

describe('coming back after a broken connection', () => {
  it('should be at one time, drawn once, for all watches that lost it', () => {
    let now = 1000;
    const draws = [0.5, 0.9];
    const spread = createReconnectSpread(
      () => now,
      () => draws.shift() ?? 0,
    );
    expect(spread(DEFAULT_REFLECTOR_TIMING)).toBe(31_000);
    now += 10_000;
    expect(spread(DEFAULT_REFLECTOR_TIMING)).toBe(21_000);
    now += 20_900;
    expect(spread(DEFAULT_REFLECTOR_TIMING)).toBe(1000);
    // The next break is another one.
    now += 1000;
    expect(spread(DEFAULT_REFLECTOR_TIMING)).toBe(55_000);
  });

  it('should be spread evenly over a minute in a fleet', () => {
    const agents = Array.from({ length: 6000 }, (_, index) =>
      createReconnectSpread(
        () => 0,
        () => index / 6000,
      )(DEFAULT_REFLECTOR_TIMING),
    );
    for (let second = 1; second < 61; second++) {
      const within = agents.filter((ms) => ms >= second * 1000 && ms < (second + 1) * 1000);
      expect(Math.abs(within.length - 100)).toBeLessThanOrEqual(1);
    }
  });
});

it('should draw whole numbers with both ends', () => {
  expect([0, 0.34, 0.67, 0.999_999].map((value) => between([1, 3], () => value))).toEqual([1, 2, 3, 3]);
});
