import { BASE_FILE_KINDS } from '../model/base-file.ts';
import type { BaseFile } from '../model/base-file.ts';
import type { Rows } from '../model/rows.ts';

/** Rows per block. Blocks are never copied, so growing costs no second copy of what is there. */
const BLOCK_ROWS = 16_384;
/** The longest name that Linux file systems have, in bytes (255), fits a block that has this much left. */
const MAX_NAME_BYTES = 1024;
const DIGEST_HEX = 40;
const HEX_PREFIX = /^[0-9a-f]{40}/;

/**
 * Base files in columns: some 60 bytes a row instead of the 400 of an object. Rows become objects one at a time, when they are
 * asked for; each call gives a new object.
 */
export class BaseFileRows implements Rows<BaseFile> {
  readonly #blocks: Block[] = [];
  /** Nearly always one: only bind mounts have another device than their directory. */
  readonly #devices: bigint[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(file: BaseFile): void {
    const slot = this.#length % BLOCK_ROWS;
    if (slot === 0) this.#blocks.push(new Block());
    let device = this.#devices.indexOf(file.device);
    if (device === -1) device = this.#devices.push(file.device) - 1;
    this.#blocks.at(-1)?.set(slot, file, device);
    this.#length += 1;
  }

  at(index: number): BaseFile | undefined {
    const row = index < 0 ? this.#length + index : index;
    if (row < 0 || row >= this.#length) return undefined;
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.get(row % BLOCK_ROWS, this.#devices);
  }

  *[Symbol.iterator](): Iterator<BaseFile> {
    for (let row = 0; row < this.#length; row += 1) {
      const file = this.at(row);
      if (file !== undefined) yield file;
    }
  }
}

class Block {
  readonly #names = new NameColumn();
  readonly #kinds = new Uint8Array(BLOCK_ROWS);
  readonly #devices = new Uint16Array(BLOCK_ROWS);
  readonly #sizes = new Float64Array(BLOCK_ROWS);
  readonly #allocated = new Float64Array(BLOCK_ROWS);
  readonly #modified = new BigInt64Array(BLOCK_ROWS);
  readonly #inodes = new BigUint64Array(BLOCK_ROWS);

  set(slot: number, file: BaseFile, device: number): void {
    this.#names.push(file.name);
    this.#kinds[slot] = BASE_FILE_KINDS.indexOf(file.kind);
    this.#devices[slot] = device;
    this.#sizes[slot] = file.sizeBytes;
    this.#allocated[slot] = file.allocatedBytes;
    this.#modified[slot] = file.modifiedAtNs;
    this.#inodes[slot] = file.inode;
  }

  get(slot: number, devices: readonly bigint[]): BaseFile {
    const modifiedAtNs = this.#modified[slot] ?? 0n;
    return {
      name: this.#names.at(slot),
      kind: BASE_FILE_KINDS[this.#kinds[slot] ?? -1] ?? 'foreign',
      sizeBytes: this.#sizes[slot] ?? 0,
      allocatedBytes: this.#allocated[slot] ?? 0,
      modifiedAtMs: Number(modifiedAtNs) / 1e6,
      modifiedAtNs,
      device: devices[this.#devices[slot] ?? -1] ?? 0n,
      inode: this.#inodes[slot] ?? 0n,
    };
  }
}

/** Names as bytes, one after the other. A leading SHA-1 takes 20 bytes instead of 40 characters. */
class NameColumn {
  #bytes = Buffer.allocUnsafeSlow(BLOCK_ROWS * 24);
  readonly #ends = new Uint32Array(BLOCK_ROWS);
  readonly #packed = new Uint8Array(BLOCK_ROWS);
  #rows = 0;
  #used = 0;

  push(name: string): void {
    if (this.#bytes.length - this.#used < MAX_NAME_BYTES) this.#grow();
    const packed = HEX_PREFIX.test(name);
    if (packed) {
      this.#used += this.#bytes.write(name.slice(0, DIGEST_HEX), this.#used, 'hex');
      if (name.length > DIGEST_HEX) this.#used += this.#bytes.write(name.slice(DIGEST_HEX), this.#used, 'utf8');
    } else {
      this.#used += this.#bytes.write(name, this.#used, 'utf8');
    }
    this.#packed[this.#rows] = packed ? 1 : 0;
    this.#ends[this.#rows] = this.#used;
    this.#rows += 1;
  }

  at(row: number): string {
    const start = row === 0 ? 0 : (this.#ends[row - 1] ?? 0);
    const end = this.#ends[row] ?? start;
    if (this.#packed[row] !== 1) return this.#bytes.toString('utf8', start, end);
    const suffix = start + DIGEST_HEX / 2;
    const digest = this.#bytes.toString('hex', start, suffix);
    return end === suffix ? digest : digest + this.#bytes.toString('utf8', suffix, end);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
