import { describe, expect, it } from 'vitest';
import { classify, partialDownloadDigest } from '../../../src/scan/classify.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const ASTRAL = '\u{1f600}';

describe('classify, strict naming', () => {
  it.each([
    [SHA1, 'original'],
    [`${SHA1}_5`, 'resized'],
    [`${SHA1}_20`, 'resized'],
    [`${SHA1}_${'9'.repeat(200)}`, 'resized'],
    [`${SHA1}_sm`, 'legacy'],
    ['swap_512', 'swap'],
    ['swap_0', 'swap'],
    ['ephemeral_20_40d1d2c', 'ephemeral'],
    ['ephemeral_20_0706d66', 'ephemeral'],
  ])('should see %s as %s', (name, kind) => {
    expect(classify(name, 'strict')).toBe(kind);
  });

  it.each([
    ['', 'the empty name'],
    [SHA1.slice(1), '39 characters'],
    [`${SHA1}a`, '41 characters'],
    [SHA1.toUpperCase(), 'upper-case hex'],
    ['g'.repeat(40), 'letters that are not hex'],
    [`${SHA1}_`, 'an empty suffix'],
    [`${SHA1}_sm2`, 'a longer legacy suffix'],
    [`${SHA1}_20G`, 'a unit'],
    [`${SHA1}_-1`, 'a sign'],
    [`${SHA1}_2 `, 'a space'],
    [`${SHA1}_20\n`, 'a line end'],
    [`${SHA1}\n`, 'a line end after a digest'],
    [`\n${SHA1}`, 'a line end before a digest'],
    [`${SHA1}_٣٤`, 'digits of another script'],
    [`${SHA1}_²`, 'superscript digits'],
    [`${SHA1}.part`, 'a download in progress'],
    [`${SHA1}.converted`, 'a conversion in progress'],
    ['swap_', 'no size'],
    ['swap_512_1', 'three parts'],
    ['swap_٣', 'a swap size in another script'],
    ['swap', 'no underscore'],
    ['Swap_512', 'upper case'],
    ['ephemeral_20_default', 'seven characters that are not a hash'],
    ['ephemeral_20_40D1D2C', 'an upper-case hash'],
    [`ephemeral_20_${ASTRAL.repeat(7)}`, 'seven characters of another plane'],
    ['ephemeral_20_40d1d2', 'a hash of six characters'],
    ['ephemeral_20_40d1d2c_1', 'four parts'],
    ['ephemeral_x_40d1d2c', 'no size in digits'],
    ['ephemeral__40d1d2c', 'an empty size'],
    ['__proto__', 'a name that objects know'],
    ['a'.repeat(255), 'the longest name'],
  ])('should take %j for foreign: %s', (name) => {
    expect(classify(name, 'strict')).toBe('foreign');
  });
});

describe('classify, Nova naming', () => {
  it.each([
    [SHA1, 'original'],
    ['z'.repeat(40), 'original'],
    [ASTRAL.repeat(40), 'original'],
    [`swap_${'1'.repeat(35)}`, 'original'],
    [`${SHA1}_20`, 'resized'],
    [`${SHA1}_sm`, 'legacy'],
    [`${SHA1}_sm2`, 'resized'],
    [`${'z'.repeat(40)}_anything`, 'resized'],
    [`${ASTRAL.repeat(40)}_20`, 'resized'],
    ['swap_512', 'swap'],
    ['swap_٣', 'swap'],
    ['swap_²', 'swap'],
    ['ephemeral_20_default', 'ephemeral'],
    [`ephemeral_20_${ASTRAL.repeat(7)}`, 'ephemeral'],
  ])('should see %s as %s', (name, kind) => {
    expect(classify(name, 'nova')).toBe(kind);
  });

  it.each([
    [`${SHA1}_5`, 'Nova overlooks a suffix of one character'],
    [`${SHA1}_`, 'no suffix'],
    [`${ASTRAL.repeat(40)}_5`, 'a suffix of one character after 80 UTF-16 units'],
    [ASTRAL.repeat(20), '20 characters of 40 UTF-16 units'],
    [`${SHA1}.part`, 'no underscore at 40'],
    ['swap_', 'no size'],
    ['swap_½', 'a fraction is not a digit'],
    ['swap_1_2', 'three parts'],
    ['ephemeral_20_40d1d2', 'a hash of six characters'],
    ['ephemeral_20', 'two parts'],
  ])('should take %j for foreign: %s', (name) => {
    expect(classify(name, 'nova')).toBe('foreign');
  });
});

describe('partialDownloadDigest', () => {
  it('should name the image of a download or conversion in progress', () => {
    expect(partialDownloadDigest(`${SHA1}.part`)).toBe(SHA1);
    expect(partialDownloadDigest(`${SHA1}.converted`)).toBe(SHA1);
  });

  it.each([SHA1, `${SHA1}.partial`, `${SHA1}.part\n`, `x${SHA1}.part`, `${SHA1.toUpperCase()}.part`])(
    'should not take %j for one',
    (name) => {
      expect(partialDownloadDigest(name)).toBeUndefined();
    },
  );
});
