import { describe, expect, it } from 'vitest';
import { openPasses, toRanges } from '../../../src/ledger/open-passes.ts';
import type { LedgerEntry, LedgerRecord } from '../../../src/model/ledger/records.ts';
import { intentOf, ledgerEntries } from '../../helpers/ledger-entries.ts';

const [, pass, evidence] = ledgerEntries as readonly [LedgerEntry, LedgerEntry, LedgerEntry];
const numbered = (entries: readonly LedgerEntry[], first = 1): LedgerRecord[] =>
  entries.map((entry, index) => ({ ...entry, seq: first + index, prev: '', at: '' }));
const intents = ['a', 'b', 'c'].map((name): LedgerEntry => ({ type: 'intent', pass: 1, evidence: 2, ...intentOf(name) }));

describe('passes without an end', () => {
  it('should be those of which no end is recorded, with their intents without an outcome', () => {
    const records = numbered([pass, evidence, ...intents, { type: 'outcome', pass: 1, outcome: 'removed', intents: [[3, 4]] }]);
    expect(openPasses(records)).toEqual([{ pass: 1, basePath: '/var/lib/nova/instances/_base', intents: [records[4]] }]);
  });

  it.each<LedgerEntry>([
    { type: 'end', pass: 1, outcomes: {} },
    { type: 'recovered', pass: 1 },
  ])('should not be one of which it is recorded that it $type', (last) => {
    expect(openPasses(numbered([pass, evidence, ...intents, last]))).toEqual([]);
    expect(openPasses(numbered([pass, evidence, ...intents, { ...last, pass: 99 } as LedgerEntry]))).toHaveLength(1);
  });

  it('should be known by their intents where their own record was dropped', () => {
    expect(openPasses(numbered(intents, 3))).toMatchObject([
      { pass: 1, basePath: undefined, intents: [{ seq: 3 }, { seq: 4 }, { seq: 5 }] },
    ]);
  });
});

describe('ranges', () => {
  it('should have the first and the last of numbers that follow each other', () => {
    expect(toRanges([])).toEqual([]);
    expect(toRanges([1, 2, 3, 5, 7, 8])).toEqual([
      [1, 3],
      [5, 5],
      [7, 8],
    ]);
  });
});
