import { array, assert, boolean, nat, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { OpenIntents } from '../../../src/ledger/audit/open-intents.ts';

const step = record({ isIntent: boolean(), gap: nat(2), first: nat(40), length: nat(12) });

it('open intents should be those without an outcome, whatever is said of which', () => {
  assert(
    property(array(step), (steps) => {
      const [open, expected] = [new OpenIntents(), new Set<number>()];
      let seq = 0;
      for (const { isIntent, gap, first, length } of steps) {
        if (isIntent) {
          seq += 1 + gap;
          open.add(seq);
          expected.add(seq);
          continue;
        }
        const settled = Array.from({ length }, (_, index) => first + index).filter((number) => expected.delete(number));
        expect(open.settle([[first, first + length - 1]])).toBe(settled.length);
      }
      expect([open.size, open.first(1000)]).toEqual([expected.size, [...expected]]);
      expect(open.first(3)).toEqual([...expected].slice(0, 3));
    }),
  );
});

it('open intents should be looked at no longer for a range that claims to be long', () => {
  const open = new OpenIntents();
  for (let seq = 1; seq < 1000; seq += 1) open.add(seq);
  expect(open.settle([[1, Number.MAX_SAFE_INTEGER]])).toBe(999);
});
