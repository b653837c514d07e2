import { describe, expect, it } from 'vitest';
import { deviation, expectedRenewals, holdsAgainst, modelOf } from '../../../bench/lib/fleet-model.ts';

describe('watches that end after a start at the same moment', () => {
  it('should be none before the shortest has ended, and all by the time that the longest has', () => {
    expect(expectedRenewals(1000, 0, 300)).toBe(0);
    // A few of those that ended first have ended again.
    expect(expectedRenewals(1000, 0, 601)).toBeCloseTo(4000, -2);
  });

  it('should become as many in a second as the model of an idle fleet says', () => {
    const heartbeats = 1000 / 3600;
    expect(expectedRenewals(1000, 20_000, 21_000) / 1000).toBeCloseTo(modelOf(1000).idlePerSecond - heartbeats, 1);
  });
});

describe('the deviation from the model', () => {
  it('should be the same in both directions, and none where chance explains it', () => {
    expect([deviation(3, 2), deviation(2, 3), deviation(0, 2), deviation(7, 5, 2)]).toEqual([1.5, 1.5, Number.POSITIVE_INFINITY, 1]);
  });

  it('should be that of the worst figure', () => {
    expect(
      holdsAgainst([
        [10, 10],
        [15, 10],
      ]),
    ).toEqual({ worst: 1.5, holds: true });
    expect(
      holdsAgainst([
        [10, 10],
        [10, 16],
      ]).holds,
    ).toBe(false);
  });
});
