import { closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { FULL } from '../model/ledger/recorder.ts';

/** Blank lines at the end, at least: they were really written, so what is written over them needs no room on a file system that is full. */
export const RESERVE_BYTES = 65_536;
/** With how many it begins, and begins again where they have become fewer. */
const FULL_RESERVE_BYTES = 2 * RESERVE_BYTES;
export const BLOCK_BYTES = 4096;
/** Of the reserve, for what became of the last files and the end of their pass. */
export const END_BYTES = 2048;
const NEWLINE = 10;

const OPEN = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_CREAT | constants.O_EXCL;

/** The last file of a ledger: records, then blank lines. */
export class Segment {
  readonly number: number;
  readonly #fd: number;
  /** Where the next record goes. */
  end: number;
  #size: number;

  private constructor(number: number, fd: number) {
    this.number = number;
    this.#fd = fd;
    this.end = 0;
    this.#size = fstatSync(fd).size;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws an errno error; EINVAL for what is not a regular file with one name. */
  static open(directory: OpenDirectory, name: string, number: number): Segment {
    const fd = directory.at(name, (path) => openSync(path, OPEN));
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.nlink === 1) return new Segment(number, fd);
    closeSync(fd);
    throw errnoError('EINVAL', `'${name}' is not a regular file with one name: move it away`);
  }

  /** With its reserve, as far as there is room for it, at least `atLeast` bytes. Throws an errno error. */
  static async create(directory: OpenDirectory, name: string, number: number, atLeast: number): Promise<Segment> {
    const segment = new Segment(
      number,
      directory.at(name, (path) => openSync(path, CREATE, 0o600)),
    );
    try {
      const written = segment.#writeRoom(Buffer.alloc(FULL_RESERVE_BYTES, NEWLINE), 0);
      if (written < atLeast) throw errnoError('ENOSPC', 'no space left for a first record');
      segment.#size = written;
      await segment.#sync();
      return segment;
    } catch (error) {
      segment.close();
      throw error;
    }
  }

  read(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#size);
    let length = 0;
    while (length < bytes.length) {
      const more = readSync(this.#fd, bytes, length, bytes.length - length, length);
      if (more === 0) break;
      length += more;
    }
    return bytes.subarray(0, length);
  }

  /** Whether another process has written here, or gone on in another file. */
  isOvertaken(): boolean {
    const { size, nlink } = fstatSync(this.#fd);
    if (size !== this.#size || nlink === 0) return true;
    const next = Buffer.alloc(1);
    return readSync(this.#fd, next, 0, 1, this.end) === 1 && next[0] !== NEWLINE;
  }

  /** Blanks what lies behind the last record. */
  async blank(bytes: number): Promise<void> {
    this.#writeInPlace(Buffer.alloc(bytes, NEWLINE), this.end);
    await this.#sync();
  }

  /**
   * Puts lines on disk, by one write over the reserve and beyond it. Where the file system has no room, as many as fit into half of the
   * reserve: what they record frees space, perhaps. Returns how many; throws an errno error where these are fewer than `atLeast`.
   *
   * @param kept how many bytes of the reserve stay.
   */
  async append(lines: readonly string[], atLeast: number, kept = 0): Promise<number> {
    const [end, size] = [this.end, this.#size];
    let count = this.#put(lines, { atLeast, kept, room: Number.POSITIVE_INFINITY });
    try {
      await this.#sync();
    } catch (error) {
      // Some file systems find out only now, such as NFS.
      if (!hasErrno(error, ...FULL)) throw error;
      ftruncateSync(this.#fd, size);
      [this.end, this.#size] = [end, size];
      count = this.#put(lines, { atLeast, kept, room: size - end });
      await this.#sync();
    }
    return count;
  }

  /** `room`: how many bytes from the end may be used. */
  #put(
    lines: readonly string[],
    { atLeast, kept, room }: { readonly atLeast: number; readonly kept: number; readonly room: number },
  ): number {
    const data = Buffer.from(`${lines.join('\n')}\n`);
    const written = this.#writeRoom(room < data.length ? data.subarray(0, room) : this.#withReserve(data, room), this.end);
    this.#size = Math.max(this.#size, this.end + written);
    const available = this.#size - this.end;
    if (written >= data.length && available - data.length >= kept) {
      this.end += data.length;
      return lines.length;
    }
    const { count, bytes } = fitting(lines, { atLeast, kept, available });
    this.#writeInPlace(Buffer.alloc(written - bytes, NEWLINE), this.end + bytes);
    this.end += bytes;
    if (count === 0) throw errnoError('ENOSPC', 'no space left for another record');
    return count;
  }

  /** The reserve is written again with the data, and more of it where too little would be left. */
  #withReserve(data: Buffer, room: number): Buffer {
    const left = this.#size - this.end - data.length;
    if (left >= RESERVE_BYTES || room !== Number.POSITIVE_INFINITY) return data;
    const size = Math.ceil((this.end + data.length + FULL_RESERVE_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
    return Buffer.concat([data, Buffer.alloc(size - this.end - data.length, NEWLINE)]);
  }

  /** As much as there is room for: all of it, or what ends where the room does. In the reserve there always is. */
  #writeRoom(bytes: Buffer, position: number): number {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written, bytes.length - written, position + written);
    } catch (error) {
      if (!hasErrno(error, ...FULL)) throw error;
      const inPlace = Math.min(bytes.length, this.#size - position);
      if (written < inPlace) written += this.#writeInPlace(bytes.subarray(written, inPlace), position + written);
    }
    return written;
  }

  #writeInPlace(bytes: Buffer, position: number): number {
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#fd, bytes, written, bytes.length - written, position + written);
    return written;
  }

  /** The event loop turns while the disk takes it. */
  async #sync(): Promise<void> {
    await promisify(fdatasync)(this.#fd);
  }

  /** No record follows here any more. */
  async finish(): Promise<void> {
    ftruncateSync(this.#fd, this.end);
    this.#size = this.end;
    await this.#sync();
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The lines that fit into half of the bytes; `atLeast` of them where they fit without those that are kept, else none. */
function fitting(
  lines: readonly string[],
  { atLeast, kept, available }: { readonly atLeast: number; readonly kept: number; readonly available: number },
): { readonly count: number; readonly bytes: number } {
  let [count, bytes] = [0, 0];
  for (const line of lines) {
    const next = bytes + Buffer.byteLength(line) + 1;
    if (next > (count < atLeast ? available - kept : available / 2)) break;
    count += 1;
    bytes = next;
  }
  return count < atLeast ? { count: 0, bytes: 0 } : { count, bytes };
}
