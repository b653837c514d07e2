import type { BaseFile } from '../../src/model/scan.ts';
import { BLOCK_BYTES, BaseFileRows } from '../../src/scan/rows/base-files.ts';

/** The rows that a scan of these files hands out. */
export function baseRows(files: Iterable<BaseFile>): BaseFileRows {
  const rows = new BaseFileRows();
  for (const { name, kind, sizeBytes, allocatedBytes, modifiedAtNs, device, inode } of files) {
    if (allocatedBytes % BLOCK_BYTES !== 0) throw new Error(`${name}: allocatedBytes must be a multiple of ${BLOCK_BYTES}`);
    rows.push(name, kind, {
      dev: device,
      ino: inode,
      size: BigInt(sizeBytes),
      blocks: BigInt(allocatedBytes / BLOCK_BYTES),
      mtimeNs: modifiedAtNs,
    });
  }
  return rows;
}
