import { assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameFile, recheck, recheckUse, type RecheckInput } from '../../../src/execute/recheck.ts';
import type { BaseFileStat } from '../../../src/model/ports.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);

/** A file of this age that did not change since the plan. */
function unchanged(ageSeconds: number, overrides: Partial<RecheckInput> = {}): RecheckInput & { readonly current: BaseFileStat } {
  const modifiedAtMs = NOW_MS - ageSeconds * 1000;
  const planned = { device: '1', inode: '2', modifiedAtNs: String(modifiedAtMs * 1e6) };
  const current = { ...planned, modifiedAtMs, sizeBytes: 1, allocatedBytes: 1, regular: true, links: 1 };
  return { planned, nowMs: NOW_MS, minimumAgeSeconds: 86_400, minimumAgeFloorSeconds: 600, ...overrides, current };
}

describe('recheck', () => {
  it('should let a file go that did not change and is old enough to the second', () => {
    expect(recheck(unchanged(86_400))).toBeUndefined();
  });

  it.each([
    [86_399.999, 86_400, 600],
    [599, 0, 600],
    [599, 599, 600],
    [-3600, 0, 0],
  ])('should keep a file of %d s where the plan asks for %d s and the floor is %d s', (age, minimumAgeSeconds, minimumAgeFloorSeconds) => {
    expect(recheck(unchanged(age, { minimumAgeSeconds, minimumAgeFloorSeconds }))?.outcome).toBe('ChangedSincePlan');
  });

  it('should tell the age and the minimum age', () => {
    expect(recheck(unchanged(61.9))?.message).toBe('It is 61 s old; the minimum age is 86400 s.');
  });

  it.each(['nowMs', 'minimumAgeSeconds', 'minimumAgeFloorSeconds'] as const)('should keep a file when %s is not a number', (key) => {
    expect(recheck(unchanged(1e6, { [key]: Number.NaN }))?.outcome).toBe('ChangedSincePlan');
  });

  it.each([
    ['another inode', { inode: '3' }],
    ['another device', { device: '3' }],
    ['no regular file', { regular: false }],
    ['a newer mtime, though old enough', { modifiedAtNs: '1', modifiedAtMs: NOW_MS - 90_000_000 }],
    ['an mtime newer by one nanosecond', { modifiedAtNs: String(BigInt(NOW_MS - 200_000_000) * 1_000_000n + 1n) }],
  ])('should keep a file that is %s', (_, change) => {
    const input = unchanged(200_000);
    expect(recheck({ ...input, current: { ...input.current, ...change } })?.outcome).toBe('ChangedSincePlan');
  });

  it('should report a file that is gone', () => {
    expect(recheck({ ...unchanged(86_400), current: undefined })).toEqual({ outcome: 'AlreadyGone' });
  });

  it('should never let a file go that is below the floor or the minimum age', () => {
    const seconds = integer({ min: -1_000_000, max: 1_000_000 });
    assert(
      property(seconds, nat(), nat(), (age, minimumAgeSeconds, minimumAgeFloorSeconds) => {
        const goes = recheck(unchanged(age, { minimumAgeSeconds, minimumAgeFloorSeconds })) === undefined;
        expect(goes).toBe(age >= minimumAgeSeconds && age >= minimumAgeFloorSeconds);
      }),
    );
  });
});

describe('isSameFile', () => {
  it('should not mind the mtime: others touch the file as well', () => {
    const { planned, current } = unchanged(0);
    expect(isSameFile(planned, { ...current, modifiedAtNs: '1', modifiedAtMs: 0 })).toBe(true);
  });

  it.each([{ device: '9' }, { inode: '9' }, { regular: false }])('should tell a file apart by %j', (change) => {
    const { planned, current } = unchanged(0);
    expect(isSameFile(planned, { ...current, ...change })).toBe(false);
  });
});

describe('recheckUse', () => {
  it('should let a file go that nobody uses', () => {
    expect(recheckUse([])).toBeUndefined();
  });

  it.each([
    [['a'], 'a'],
    [['a', 'b', 'c'], 'a; b; c'],
    [['a', 'b', 'c', 'd', 'e'], 'a; b; c; and 2 more'],
  ])('should tell who uses the file: %j', (reasons, message) => {
    expect(recheckUse(reasons.map((reason) => ({ kind: 'use', message: reason })))).toEqual({ outcome: 'ChangedSincePlan', message });
  });
});
