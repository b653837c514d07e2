import { array, assert, bigInt, constantFrom, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE_FILE_KINDS } from '../../../../src/model/scan.ts';
import { BaseFileRows } from '../../../../src/scan/rows/base-files.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const STATS = { dev: 66_306n, ino: 12_345n, size: 5000n, blocks: 16n, mtimeNs: 1_700_000_000_123_456_789n };

const PLAIN = undefined;
const PACKED = 0;

describe('BaseFileRows', () => {
  it('should give back a row as it was pushed', () => {
    const rows = new BaseFileRows();
    rows.push(`${SHA1}_20`, 'resized', STATS);
    expect(rows.at(0)).toMatchObject({
      name: `${SHA1}_20`,
      kind: 'resized',
      sizeBytes: 5000,
      allocatedBytes: 8192,
      modifiedAtMs: 1_700_000_000_123.4568,
      modifiedAtNs: 1_700_000_000_123_456_789n,
      device: 66_306n,
      inode: 12_345n,
    });
  });

  it('should give rows that keep their fields when they are spread', () => {
    const rows = new BaseFileRows();
    rows.push('swap_1', 'swap', STATS);
    expect({ ...rows.at(0) }).toMatchObject({ name: 'swap_1', kind: 'swap', sizeBytes: 5000, inode: 12_345n });
  });

  it('should behave as an array does beyond its ends', () => {
    const rows = new BaseFileRows();
    expect([rows.length, rows.at(0), rows.at(-1)]).toEqual([0, undefined, undefined]);
    rows.push('a', 'foreign', STATS);
    rows.push('b', 'foreign', STATS);
    expect([rows.at(-1)?.name, rows.at(-2)?.name, rows.at(-3), rows.at(2)]).toEqual(['b', 'a', undefined, undefined]);
  });

  it.each([PLAIN, PACKED])('should keep names, kinds and numbers of any file (%s plain rows)', (plainRows) => {
    const name = constantFrom(SHA1, SHA1.toUpperCase(), `${SHA1}_`, `${SHA1}ä`, `${SHA1.slice(1)}G`).chain((prefix) =>
      string({ unit: 'grapheme', maxLength: 60 }).map((suffix) => prefix + suffix),
    );
    const uint64 = bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const row = record({
      name,
      kind: constantFrom(...BASE_FILE_KINDS),
      stats: record({
        dev: uint64,
        ino: uint64,
        size: bigInt({ min: 0n, max: 2n ** 53n }),
        blocks: bigInt({ min: 0n, max: 2n ** 43n }),
        mtimeNs: bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      }),
    });
    assert(
      property(array(row), (pushed) => {
        const rows = new BaseFileRows(plainRows);
        for (const { name: text, kind, stats } of pushed) rows.push(text, kind, stats);
        const back = Array.from(rows, (file) => [
          file.name,
          file.kind,
          file.device,
          file.inode,
          file.sizeBytes,
          file.allocatedBytes,
          file.modifiedAtNs,
        ]);
        expect(back).toEqual(
          pushed.map(({ name: text, kind, stats }) => [
            text,
            kind,
            stats.dev,
            stats.ino,
            Number(stats.size),
            Number(stats.blocks) * 512,
            stats.mtimeNs,
          ]),
        );
      }),
    );
  });

  it.each([PLAIN, PACKED])('should give a lone surrogate as U+FFFD (%s plain rows)', (plainRows) => {
    const rows = new BaseFileRows(plainRows);
    for (const name of ['a\udcff', `${SHA1}\udcfe`]) rows.push(name, 'foreign', STATS);
    expect(Array.from(rows, ({ name }) => name)).toEqual(['a\ufffd', `${SHA1}\ufffd`]);
  });

  it('should keep rows apart across chunks, long names included', () => {
    const rows = new BaseFileRows();
    const names = Array.from({ length: 40_000 }, (_, index) => (index % 3 === 0 ? `${index}`.padEnd(255, 'ä') : `${SHA1}_${index}`));
    for (const name of names) rows.push(name, 'foreign', STATS);
    expect(rows.length).toBe(names.length);
    expect(Array.from(rows, ({ name }) => name)).toEqual(names);
  });
});
