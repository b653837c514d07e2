import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { compileFileGlob, MAX_GLOB_LENGTH } from '../../../../src/lib/patterns/file-glob.ts';

describe('a glob over file names', () => {
  it.each([
    ['swap_*', ['swap_512', 'swap_'], ['swap', 'xswap_1', 'swap']],
    ['*', ['a', '.hidden', 'a.b'], []],
    ['?b', ['ab', '.b'], ['b', 'aab']],
    ['[0-9a-f]x', ['0x', 'fx'], ['gx', 'x']],
    ['[!0-9]x', ['ax'], ['1x']],
    ['[^0-9]x', ['ax'], ['1x']],
    ['[]a]', [']', 'a'], ['b']],
    ['[[:digit:]]_', ['1_'], ['a_']],
    ['{swap,ephemeral}_*', ['swap_1', 'ephemeral_1_a'], ['other_1']],
    ['{a,b{c,d}}', ['a', 'bc', 'bd'], ['b', 'c']],
    ['@(a|b)c', ['ac', 'bc'], ['c', 'abc']],
    ['+(ab)', ['ab', 'abab'], ['', 'a']],
    ['*(ab)c', ['c', 'abc', 'ababc'], ['ac']],
    ['?(a)b', ['b', 'ab'], ['aab']],
    ['(a|b)', ['a', 'b'], ['ab']],
    ['!swap_*', ['a'], ['swap_1']],
    [String.raw`a\*`, ['a*'], ['ab']],
    ['a+b.c$', ['a+b.c$'], ['aab.c$', 'a+bxc$']],
    ['a,b|c', ['a,b|c'], ['a', 'c']],
    ['Swap', ['Swap'], ['swap']],
    ['*\n', ['x\n'], ['x']],
  ])('%j should match what it says', (glob, matching, others) => {
    const matches = compileFileGlob(glob);
    expect(matching.filter((name) => !matches(name))).toEqual([]);
    expect(others.filter((name) => matches(name))).toEqual([]);
  });

  it.each([
    ['', /empty/],
    ['a/b', /"\/"/],
    ['a'.repeat(MAX_GLOB_LENGTH + 1), /longer than 255 characters/],
    ['!(a)', /not supported/],
    ['{1..3}', /range.*\[1-3\]/],
    ['[a', /"\]" is missing/],
    ['{a', /"\}" is missing/],
    ['+(a', /"\)" is missing/],
    ['a\\', /"\\" stands at its end/],
    ['[z-a]', /cannot be understood/],
  ])('%j should be refused with what is wrong', (glob, message) => {
    expect(() => compileFileGlob(glob)).toThrow(message);
  });

  it('should match its own text once special characters are escaped, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), (text) => {
        fc.pre(!text.includes('/'));
        const escaped = text.replaceAll(/./gsu, '\\$&');
        fc.pre(escaped.length <= MAX_GLOB_LENGTH);
        expect(compileFileGlob(escaped)(text)).toBe(true);
        expect(compileFileGlob(escaped)(`${text}x`)).toBe(false);
      }),
    );
  });

  it('should compile or be refused, and match within bounded time, whatever it is', () => {
    const parts = fc.constantFrom('*', '?', '+(', '*(', '@(', ')', '|', 'a', '[0-9a-f]', '{', ',', '}', '!', '\\');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 60 }), (pieces) => {
        const begun = performance.now();
        try {
          compileFileGlob(pieces.join(''))('a'.repeat(255));
        } catch (error) {
          expect((error as Error).message).not.toBe('');
        }
        expect(performance.now() - begun).toBeLessThan(2000);
      }),
    );
  });

  it.each([
    '*a*a*a*a*a*a*a*a*a*a*b',
    '+(+([0-9a-f]))z',
    '@(+([0-9a-f])|+([0-9a-f]))+(+([0-9a-f]))z',
    `${'+('.repeat(60)}a${')'.repeat(60)}z`,
  ])('should answer at once where a backtracking matcher takes for ever: %s', (glob) => {
    const begun = performance.now();
    expect(compileFileGlob(glob)('a'.repeat(255))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
