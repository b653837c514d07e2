import { describe, expect, it } from 'vitest';
import { CHANGES, tryChanges } from './ledger.ts';
import { Random } from './random.ts';

const CHANGES_TRIED = 1000;

describe('a ledger that somebody has changed', () => {
  it(`should be found to be, by each of ${CHANGES_TRIED} random changes`, () => {
    // `npm run fuzz -- --ledgers N --seed S` tries others.
    const { missed, kinds, found } = tryChanges({ changes: CHANGES_TRIED, random: new Random(18) });
    expect(missed).toEqual([]);
    expect(Object.keys(kinds).toSorted()).toEqual(Object.keys(CHANGES).toSorted());
    for (const kind of ['RecordChanged', 'RecordsMissing', 'OutOfOrder', 'NotARecord', 'EndMissing', 'MarkDiffers', 'HeadUnreadable'])
      expect(found[kind] ?? 0, kind).toBeGreaterThan(20);
  });
});
