import { describe, expect, it } from 'vitest';
import { trashEntryName } from '../../../../src/model/trash-names.ts';
import { TrashedRows } from '../../../../src/scan/rows/trashed-files.ts';

const NAME = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const STATS = { dev: 66_306n, ino: 12_345n, size: 5000n, blocks: 16n, mtimeNs: 1_700_000_000_123_456_789n };

describe('TrashedRows', () => {
  it('should give each row all fields of the file that it was, by index and one after the other', () => {
    const rows = new TrashedRows();
    const entry = trashEntryName({ name: NAME, trashedAtMs: 1_700_000_500_000 });
    rows.push(entry, 'original', STATS);
    const expected = {
      name: NAME,
      entry,
      trashedAtMs: 1_700_000_500_000,
      kind: 'original',
      sizeBytes: 5000,
      allocatedBytes: 8192,
      modifiedAtMs: 1_700_000_000_123.4568,
      modifiedAtNs: 1_700_000_000_123_456_789n,
      device: 66_306n,
      inode: 12_345n,
    };
    expect(rows.at(0)).toEqual(expected);
    expect([...rows]).toEqual([expected]);
  });
});
