import { describe, expect, it } from 'vitest';
import { cacheFileName } from '../../../src/model/names.ts';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { removalLimit } from '../../../src/plan/removal-limit.ts';
import { baseFile, DAY_MS, NOW_MS, snapshot } from '../../helpers/snapshot.ts';

const files = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    baseFile({ name: cacheFileName(String(index)), modifiedAtMs: NOW_MS - (2 + index) * DAY_MS }),
  );
const pressure = { highThresholdPercent: 85, lowThresholdPercent: 80 };

function limited(count: number, policy: object = {}, usedPercent = 10) {
  const filesystem = { sizeBytes: 100, availableBytes: 100 - usedPercent };
  const plan = buildPlan(snapshot({ files: files(count), scan: { filesystem }, policy: { maxRemovalsPerPass: undefined, ...policy } }));
  return { removed: [...plan.files].filter(({ verdict }) => verdict === 'remove').length, limited: plan.limited };
}

describe('a pass whose configuration sets no limit', () => {
  it('should remove a quarter of the base files at most, the oldest first, and say how many it leaves', () => {
    expect(limited(100)).toEqual({ removed: 25, limited: { removals: 25, waitingFiles: 75 } });
    const plan = buildPlan(snapshot({ files: files(100), policy: { maxRemovalsPerPass: undefined } }));
    expect([...plan.files].flatMap(({ verdict }, index) => (verdict === 'remove' ? [index] : []))).toEqual(
      Array.from({ length: 25 }, (_, index) => 75 + index),
    );
  });

  it('should remove ten in any case, and so come to an end', () => {
    expect(limited(10)).toEqual({ removed: 10, limited: undefined });
    expect(limited(11)).toEqual({ removed: 10, limited: { removals: 10, waitingFiles: 1 } });
    let left = 1000;
    let passes = 0;
    for (; left > 0; passes++) left -= Math.min(left, removalLimit({ policy: { maxRemovalsPerPass: undefined }, isTooFull: false }, left));
    expect(passes).toBeLessThan(20);
  });

  it('should not count what is no base file', () => {
    const foreign = Array.from({ length: 100 }, (_, index) => baseFile({ name: `note-${index}`, kind: 'foreign' }));
    const plan = buildPlan(snapshot({ files: [...files(20), ...foreign], policy: { maxRemovalsPerPass: undefined } }));
    expect(plan.limited).toEqual({ removals: 10, waitingFiles: 10 });
  });

  it('should have none while the file system is too full and pressure mode is on', () => {
    expect(limited(100, { pressure }, 86)).toEqual({ removed: 100, limited: undefined });
    expect(limited(100, { pressure }, 85).removed).toBe(25);
    expect(limited(100, {}, 99).removed).toBe(25);
  });
});

describe('a pass whose configuration sets a limit', () => {
  it('should keep to it, even under pressure, and make no event of it', () => {
    expect(limited(100, { maxRemovalsPerPass: 3, pressure }, 99)).toEqual({ removed: 3, limited: undefined });
    expect(limited(100, { maxRemovalsPerPass: 0 })).toEqual({ removed: 100, limited: undefined });
  });
});
