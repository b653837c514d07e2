import { BASE_FILE_KINDS, type BaseFile, type BaseFileKind } from '../../model/scan.ts';
import type { Rows } from '../../model/rows.ts';
import { NameColumn, PlainNames, type Names } from './name-column.ts';

/** The unit of `st_blocks`, whatever the file system's own block size is. */
export const BLOCK_BYTES = 512;

/** Rows per chunk: some 130 KiB, so that a small cache takes little. Chunks are never copied: growing costs no second copy of what is there. */
const CHUNK_ROWS = 2048;

/** Of so many rows the names are kept as they are, which takes 650 KiB more. Hardly any cache has more. */
const PLAIN_ROWS = 8 * CHUNK_ROWS;

/** The end of 64 bits, in the year 2262. File systems hold later dates, which would wrap into a distant past. */
const LATEST_NS = 2n ** 63n - 1n;

/** What a row takes from an lstat with `bigint`. */
export interface BaseFileStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly mtimeNs: bigint;
}

/**
 * Base files in columns: some 65 bytes a row instead of the 230 of an object, and 105 where names are kept as they are. Rows become plain objects one at a time, when they
 * are asked for; each call gives a new object.
 */
export class BaseFileRows implements Rows<BaseFile> {
  readonly #chunks: Chunk[] = [];
  /** Nearly always one: only bind mounts have another device than their directory. */
  readonly #devices: bigint[] = [];
  /** Of the row pushed last. */
  #device = -1;
  #length = 0;
  readonly #plainRows: number;

  /** @param plainRows how many rows keep their names as they are, in whole chunks. */
  constructor(plainRows = PLAIN_ROWS) {
    this.#plainRows = plainRows;
  }

  get length(): number {
    return this.#length;
  }

  push(name: string, kind: BaseFileKind, stats: BaseFileStats): void {
    const slot = this.#length % CHUNK_ROWS;
    let chunk = this.#chunks.at(-1);
    if (slot === 0 || chunk === undefined) {
      chunk = new Chunk(CHUNK_ROWS, this.#length < this.#plainRows ? new PlainNames() : new NameColumn(CHUNK_ROWS));
      this.#chunks.push(chunk);
    }
    if (stats.dev !== this.#devices[this.#device]) this.#device = this.#indexOfDevice(stats.dev);
    chunk.set(slot, name, kind, this.#device, stats);
    this.#length += 1;
  }

  #indexOfDevice(device: bigint): number {
    const known = this.#devices.indexOf(device);
    return known === -1 ? this.#devices.push(device) - 1 : known;
  }

  at(index: number): BaseFile | undefined {
    const row = index < 0 ? this.#length + index : index;
    if (row < 0 || row >= this.#length) return undefined;
    return this.#chunks[Math.floor(row / CHUNK_ROWS)]?.get(row % CHUNK_ROWS, this.#devices);
  }

  *[Symbol.iterator](): Iterator<BaseFile> {
    for (let row = 0; row < this.#length; row += 1) {
      const file = this.at(row);
      if (file !== undefined) yield file;
    }
  }
}

class Chunk {
  readonly #names: Names;
  readonly #kinds: Uint8Array;
  readonly #devices: Uint16Array;
  readonly #sizes: Float64Array;
  readonly #blocks: Float64Array;
  readonly #modified: BigInt64Array;
  readonly #inodes: BigUint64Array;

  constructor(rows: number, names: Names) {
    this.#names = names;
    this.#kinds = new Uint8Array(rows);
    this.#devices = new Uint16Array(rows);
    this.#sizes = new Float64Array(rows);
    this.#blocks = new Float64Array(rows);
    this.#modified = new BigInt64Array(rows);
    this.#inodes = new BigUint64Array(rows);
  }

  set(slot: number, name: string, kind: BaseFileKind, device: number, stats: BaseFileStats): void {
    this.#names.push(name);
    this.#kinds[slot] = BASE_FILE_KINDS.indexOf(kind);
    this.#devices[slot] = device;
    this.#sizes[slot] = Number(stats.size);
    this.#blocks[slot] = Number(stats.blocks);
    this.#modified[slot] = stats.mtimeNs < LATEST_NS ? stats.mtimeNs : LATEST_NS;
    this.#inodes[slot] = stats.ino;
  }

  get(slot: number, devices: readonly bigint[]): BaseFile {
    const modifiedAtNs = this.#modified[slot] ?? 0n;
    return {
      name: this.#names.at(slot),
      kind: BASE_FILE_KINDS[this.#kinds[slot] ?? -1] ?? 'foreign',
      sizeBytes: this.#sizes[slot] ?? 0,
      allocatedBytes: (this.#blocks[slot] ?? 0) * BLOCK_BYTES,
      modifiedAtMs: Number(modifiedAtNs) / 1e6,
      modifiedAtNs,
      device: devices[this.#devices[slot] ?? -1] ?? 0n,
      inode: this.#inodes[slot] ?? 0n,
    };
  }
}
