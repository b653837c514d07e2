import { describe, expect, it } from 'vitest';
import { countOf, humanBytes, humanSeconds, listSome, printable, shorten } from '../../../src/lib/text.ts';

describe('text for people', () => {
  it.each([
    ['a line\nbreak', 'a line\\u{a}break'],
    ['\u001B[31mred', '\\u{1b}[31mred'],
    ['right\u202Eto left', 'right\\u{202e}to left'],
    ['zero\u200Bwidth', 'zero\\u{200b}width'],
    ['\u009Bcontrol of eight bits', '\\u{9b}control of eight bits'],
    ['paragraph\u2029separator', 'paragraph\\u{2029}separator'],
    ['lone \uD83D half', 'lone \\u{d83d} half'],
    ['Größe 💾 ok', 'Größe 💾 ok'],
  ])('should show %j as %s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('should be cut without cutting a character in two', () => {
    expect(shorten('abcdef', 6)).toBe('abcdef');
    expect(shorten('abcdefg', 6)).toBe('abcde…');
    expect(shorten('abcd💾g', 6)).toBe('abcd…');
    expect(shorten('abc', 1)).toBe('…');
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [126_917_000_000, '118.2 GiB'],
    [Number.NaN, 'unknown'],
  ])('should show %d bytes as %s', (bytes, shown) => {
    expect(humanBytes(bytes)).toBe(shown);
  });

  it.each([
    [0.9, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3600, '1 h'],
    [3660, '1 h 1 min'],
    [90_000, '1 d 1 h'],
    [86_460, '1 d'],
    [-30, 'in 30 s'],
    [Number.NaN, 'unknown'],
  ])('should show %d seconds as %s', (seconds, shown) => {
    expect(humanSeconds(seconds)).toBe(shown);
  });

  it('should count in singular and plural', () => {
    expect([countOf(0, 'file'), countOf(1, 'file'), countOf(2, 'file')]).toEqual(['0 files', '1 file', '2 files']);
  });

  it('should list some and count the rest', () => {
    expect(listSome(['a', 'b'], 2)).toBe('a, b');
    expect(listSome(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
    expect(listSome(['a'], 2, 10)).toBe('a and 9 more');
  });
});
