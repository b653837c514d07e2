import { describe, expect, it } from 'vitest';
import type { BaseFile } from '../../../src/model/scan.ts';
import type { ImageHeader } from '../../../src/images/header.ts';
import { classify } from '../../../src/scan/classify.ts';
import { contradictionOf } from '../../../src/verify/contradiction.ts';

const GIB = 2 ** 30;
const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const RAW: ImageHeader = { kind: 'raw' };

function qcow2(virtualSizeBytes: number, features: readonly 'corrupt'[] = []): ImageHeader {
  return { kind: 'image', format: 'qcow2', virtualSizeBytes, ...(features.includes('corrupt') ? { corrupt: true } : {}) };
}

function file(name: string, sizeBytes: number): Pick<BaseFile, 'name' | 'kind' | 'sizeBytes'> {
  return { name, sizeBytes, kind: classify(name, 'strict') };
}

describe('a base file and its name', () => {
  it.each([
    ['an original of any size', file(SHA1, 12_345), RAW],
    ['a size in GiB', file(`${SHA1}_20`, 20 * GIB), RAW],
    ['a size in bytes', file(`${SHA1}_${10 * GIB}`, 10 * GIB), RAW],
    ['the virtual size of qcow2', file(`${SHA1}_20`, 196_616), qcow2(20 * GIB)],
    ['a legacy file, whose name has no size', file(`${SHA1}_sm`, 5), RAW],
    ['swap in MiB', file('swap_512', 512 * 2 ** 20), RAW],
    ['ephemeral in GiB', file('ephemeral_20_40d1d2c', 20 * GIB), RAW],
    ['a format whose size is not read', file(`${SHA1}_20`, 5), { kind: 'image', format: 'vmdk' } as const],
    ['a number that no size can be', file(`${SHA1}_${'9'.repeat(30)}`, 5), RAW],
  ])('should fit: %s', (_, of, header) => {
    expect(contradictionOf(of, header)).toBeUndefined();
  });

  it.each([
    [
      'a size that is neither',
      file(`${SHA1}_20`, 19 * GIB),
      RAW,
      `its virtual size is ${19 * GIB} bytes, but its name says ${20 * GIB} or 20`,
    ],
    ['a cut copy', file(`${SHA1}_20`, 196_616), qcow2(10 * GIB), 'its virtual size is'],
    ['swap of another size', file('swap_512', 511 * 2 ** 20), RAW, 'its virtual size is'],
    ['ephemeral of another size', file('ephemeral_1_40d1d2c', 2 * GIB), RAW, 'its virtual size is'],
    ['an empty file', file(SHA1, 0), RAW, 'it is empty'],
    [
      'a header that makes no sense',
      file(SHA1, 80),
      { kind: 'invalid', format: 'qcow2', message: 'qcow2 version 9 is not known' } as const,
      'version 9',
    ],
    ['an image that calls itself corrupt', file(SHA1, 80), qcow2(GIB, ['corrupt']), 'corrupt'],
  ])('should not fit: %s', (_, of, header, words) => {
    expect(contradictionOf(of, header)).toContain(words);
  });
});
