import { lstatSync, type BigIntStats } from 'node:fs';
import type { Footprint } from '../model/scan.ts';
import { readEntries } from '../disk/list-directory.ts';
import { decodeRawName, joinPath, type FsPath } from '../disk/raw-name.ts';
import { errnoOf } from '../lib/errors.ts';
import type { Pacer } from '../lib/pacer.ts';
import { BLOCK_BYTES } from './rows/base-files.ts';

const LSTAT = { bigint: true, throwIfNoEntry: false } as const;

/**
 * Adds up what a directory and everything below it takes on its file system. Follows no link and enters no other file system; what it cannot
 * look at is counted as unseen.
 */
export class FootprintCount {
  readonly #device: bigint;
  readonly #freeNothing = new Set<string>();
  /** Directories that were seen and not entered yet. */
  readonly #directories: FsPath[] = [];
  #blocks: bigint;
  #unseenEntries = 0;

  constructor({ dev, blocks }: Pick<BigIntStats, 'dev' | 'blocks'>) {
    this.#device = dev;
    this.#blocks = blocks;
  }

  /** An entry that somebody else has looked at: no directory. */
  add({ dev, ino, nlink, blocks }: Pick<BigIntStats, 'dev' | 'ino' | 'nlink' | 'blocks'>): void {
    const isHere = dev === this.#device;
    if (!isHere || nlink > 1n) {
      const inode = `${dev}:${ino}`;
      if (this.#freeNothing.has(inode)) return;
      this.#freeNothing.add(inode);
    }
    if (isHere) this.#blocks += blocks;
  }

  /** An entry that nobody has looked at. */
  look(path: FsPath): void {
    const stats = this.#stat(path);
    if (stats === undefined) return;
    if (!stats.isDirectory()) this.add(stats);
    else if (stats.dev === this.#device) {
      this.#blocks += stats.blocks;
      this.#directories.push(path);
    }
  }

  /** An entry that could not be looked at. */
  readonly unseen = (): void => {
    this.#unseenEntries += 1;
  };

  /** Enters the directories that were looked at, and those in them. */
  async enterDirectories(pacer: Pacer): Promise<void> {
    for (let directory = this.#directories.pop(); directory !== undefined; directory = this.#directories.pop()) {
      for (const entry of readEntries(directory, this.unseen)) {
        this.look(joinPath(directory, decodeRawName(entry.name)));
        if (pacer.due()) await pacer.pause();
      }
    }
  }

  result(): Footprint {
    return { bytes: Number(this.#blocks) * BLOCK_BYTES, unseenEntries: this.#unseenEntries, freeNothing: this.#freeNothing };
  }

  /** Undefined also for what has gone since it was listed: it takes nothing. */
  #stat(path: FsPath): BigIntStats | undefined {
    try {
      return lstatSync(path, LSTAT);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      this.unseen();
      return undefined;
    }
  }
}
