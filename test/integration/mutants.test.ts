import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GATE_REASONS, isForSpace, VERDICT_REASONS } from '../../src/model/reasons.ts';
import { MUTANTS } from '../mutants/list.ts';
import { occurrences } from '../mutants/mutant.ts';

const rules = MUTANTS.map(({ rule }) => rule);

/** `npm run mutants` takes them away, one by one; here is seen to it that the list keeps up with the code. */
describe('the list of safety rules', () => {
  it('should find the snippet of each rule exactly once', () => {
    const lost = MUTANTS.filter((mutant) => occurrences(readFileSync(mutant.file, 'utf8'), mutant) !== 1);
    expect(lost.map(({ file, rule, from }) => `${file}: ${rule}: ${from}`)).toEqual([]);
  });

  it('should change something, be noticed by tests that exist, and name each rule once', () => {
    expect(MUTANTS.filter(({ from, to }) => from === to)).toEqual([]);
    expect(MUTANTS.flatMap(({ tests }) => tests).filter((path) => !existsSync(path))).toEqual([]);
    expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([]);
  });

  // What `Unused` takes away is no protection, and lack of space has rules of its own.
  const protecting = Object.keys(VERDICT_REASONS).filter((reason) => reason !== 'Unused' && !isForSpace(reason));
  it.each([...protecting, ...Object.keys(GATE_REASONS)])('should have %s in it', (reason) => {
    expect(rules.filter((rule) => rule.startsWith(`${reason}: `)).length).toBeGreaterThan(0);
  });
});
