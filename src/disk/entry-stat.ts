import { lstatSync, type BigIntStats } from 'node:fs';
import type { BaseFileStat } from '../model/ports.ts';

/** Of the entry itself, not of what a link leads to; undefined where there is none. */
/** Of `st_blocks`, whatever the file system's own are. */
const BLOCK_BYTES = 512;

export function statEntry(path: string): BaseFileStat | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : toStat(stats);
}

export function toStat(stats: BigIntStats): BaseFileStat {
  return {
    device: stats.dev.toString(),
    inode: stats.ino.toString(),
    modifiedAtNs: stats.mtimeNs.toString(),
    sizeBytes: Number(stats.size),
    allocatedBytes: Number(stats.blocks) * BLOCK_BYTES,
    modifiedAtMs: Number(stats.mtimeNs) / 1e6,
    regular: stats.isFile(),
    links: Number(stats.nlink),
  };
}
