import { describe, expect, it } from 'vitest';
import { compileAnchoredPattern } from '../../../../src/lib/patterns/anchored-pattern.ts';

describe('compileAnchoredPattern', () => {
  it.each([
    ['the whole text', '[a-z]+', 'abc', 'abc'],
    ['what the group took', 'disk-(.+)', 'disk-5f0e', '5f0e'],
    ['an empty group', 'x(.*)', 'x', ''],
    ['nothing where only a part matches', '[a-z]+', 'abc1', undefined],
    ['nothing where only one line matches', '^a$', 'a\nb', undefined],
    ['nothing where only the first alternative would match the beginning', 'a|b', 'ab', undefined],
    ['nothing where the group took no part', '(a)|b', 'b', undefined],
  ])('should give %s', (_what, pattern, text, part) => {
    expect(compileAnchoredPattern(pattern)(text)).toBe(part);
  });

  it.each([
    ['(a', /missing closing/],
    ['(?=a)', /invalid or unsupported Perl syntax/],
    [String.raw`(a)\1`, /invalid escape/],
    ['(a)(b)', /more than one capturing group/],
    ['a'.repeat(1001), /longer than 1000/],
  ])('should refuse %s and say why', (pattern, why) => {
    expect(() => compileAnchoredPattern(pattern)).toThrow(why);
  });

  it('should not backtrack', () => {
    // Backtracking, this would take longer than the universe has been there.
    expect(compileAnchoredPattern('(?:(?:a+)+)+$')(`${'a'.repeat(2000)}b`)).toBeUndefined();
  });
});
