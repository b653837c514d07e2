import { describe, expect, it } from 'vitest';
import { cutEnd, cutName, cutStart, pad, shortAge, widthOf, wrap } from '../../../src/report/terminal/cells.ts';
import { humanBytes, shortenBytes } from '../../../src/lib/text.ts';

const DIGEST = '0d5e6b61602d758984b3bf038267614d6016eb2a';

describe('humanBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [118.2 * 2 ** 30, '118.2 GiB'],
    [2 ** 80, '1048576.0 EiB'],
    [-2048, '-2.0 KiB'],
    [Number.NaN, 'unknown'],
  ])('should write %d as %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });
});

describe('shortenBytes', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, '…'],
    ['äöü', 6, 'äöü'],
    ['äöüß', 7, 'äö…'],
    ['💾💾', 7, '💾…'],
    ['💾💾', 6, '…'],
  ])('should cut %j to %d bytes as %j', (text, bytes, short) => {
    expect(shortenBytes(text, bytes)).toBe(short);
  });
});

describe('shortAge', () => {
  it.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7199, '119m'],
    [7200, '2h'],
    [172_799, '47h'],
    [172_800, '2d'],
    [86_400 * 999, '999d'],
    [-5, '-5s'],
  ])('should write %d seconds as %s', (seconds, text) => {
    expect(shortAge(seconds)).toBe(text);
  });
});

describe('cutting', () => {
  it.each([
    [`${DIGEST}_10737418240`, 20, '0d5e…b2a_10737418240'],
    [`${DIGEST}_sm`, 12, '0d5e…eb2a_sm'],
    [DIGEST, 11, '0d5e6…6eb2a'],
    [`${DIGEST}_10737418240`, 14, '0d5e6b6…418240'],
    ['short', 5, 'short'],
  ])('should make the name %s %i columns wide', (name, columns, cut) => {
    expect(cutName(name, columns)).toBe(cut);
    expect(widthOf(cutName(name, columns))).toBeLessThanOrEqual(columns);
  });

  it('should cut what is too long at the asked end', () => {
    expect(cutEnd('abcdef', 4)).toBe('abc…');
    expect(cutStart('abcdef', 4)).toBe('…def');
  });

  it('should never split a wide character', () => {
    expect(cutEnd('仮想マシン', 4)).toBe('仮…');
    expect(pad('仮想', 6)).toBe('仮想  ');
    expect(pad('仮想', 6, 'right')).toBe('  仮想');
  });
});

describe('wrapping', () => {
  it.each([
    ['a text that fits', '  a b c', 7, '  a b c'],
    ['a text that is too long', '  aa bb cc dd', 7, '  aa bb\n    cc\n    dd'],
    ['a word that is too long', `  a ${'x'.repeat(20)} b`, 7, `  a\n    ${'x'.repeat(20)}\n    b`],
    ['a text without end', 'a b', undefined, 'a b'],
  ])('should break %s at spaces', (_what, text, columns, wrapped) => {
    expect(wrap(text, columns, '    ')).toBe(wrapped);
  });
});
