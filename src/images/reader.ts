import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Clock } from '../model/ports.ts';
import type { ImageHeader, Inspection } from './header.ts';
import type { HeaderCache } from './header-cache.ts';
import { HEAD_BYTES, MAX_READ_BYTES } from './formats/format.ts';
import { parseImageHeader } from './formats/formats.ts';
import type { FsPath } from '../disk/raw-name.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME, O_DIRECTORY } = constants;
const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const OPEN_DIRECTORY = O_RDONLY | O_NOFOLLOW | O_DIRECTORY;

/** More answers than these are forgotten, and looked up again. */
const MOST_INSPECTED = 16_384;

export interface ImageReaderOptions {
  readonly instancesPath: string;
  readonly cache: HeaderCache;
  readonly clock: Clock;
  /** The file system may show old attributes until a file is opened (NFS). Default false. */
  readonly opensAnew?: boolean | undefined;
}

/**
 * Reads image headers, for one scan. Opens regular files and directories only, and below the instances path never through a
 * symbolic link.
 */
export class ImageReader {
  readonly #instancesPath: string;
  readonly #cache: HeaderCache;
  readonly #clock: Clock;
  readonly #opensAnew: boolean;
  readonly #head = Buffer.allocUnsafe(HEAD_BYTES);
  readonly #inspected = new Map<string, Inspection>();
  /** Reading must not count as access; only the owner or CAP_FOWNER may ask for that. */
  #noAtime = O_NOATIME;
  /** The directory that a path was last looked up in: nearly always the base directory. */
  #parent: { readonly path: string; readonly fd: number } | undefined;
  #read = 0;
  #cachedHeaders = 0;

  constructor({ instancesPath, cache, clock, opensAnew = false }: ImageReaderOptions) {
    this.#instancesPath = instancesPath;
    this.#cache = cache;
    this.#clock = clock;
    this.#opensAnew = opensAnew;
    cache.beginPass();
  }

  /** To be called at the end of the scan. */
  close(): void {
    if (this.#parent !== undefined) closeSync(this.#parent.fd);
    this.#parent = undefined;
  }

  get headersRead(): number {
    return this.#read;
  }

  get headersCached(): number {
    return this.#cachedHeaders;
  }

  /** The header of a file that lstat called regular. Throws an errno error; ENOENT when it has vanished. */
  header(path: FsPath, stats: BigIntStats): ImageHeader | { readonly kind: 'irregular'; readonly message: string } {
    const cached = this.#opensAnew ? undefined : this.#cached(stats);
    if (cached !== undefined) return cached;
    const fd = this.#open(path);
    try {
      const opened = fstatSync(fd, { bigint: true });
      if (!opened.isFile()) return { kind: 'irregular', message: 'it is not a regular file' };
      const known = this.#opensAnew ? this.#cached(opened) : undefined;
      if (known !== undefined) return known;
      const { wallMs } = this.#clock.now();
      this.#read += 1;
      const header = parseHeader(fd, this.#head);
      this.#cache.put(opened, header, wallMs);
      return header;
    } finally {
      closeSync(fd);
    }
  }

  #cached(stats: BigIntStats): ImageHeader | undefined {
    const header = this.#cache.get(stats);
    if (header !== undefined) this.#cachedHeaders += 1;
    return header;
  }

  /** What a path, relative to the instances path or absolute outside, leads to. Nearly always looked up once in a scan. */
  inspect(path: string, withHeader: boolean): Inspection {
    const key = withHeader ? path : `${path}\0`;
    const known = this.#inspected.get(key);
    if (known !== undefined) return known;
    const found = this.#inspectOnce(path, withHeader);
    if (this.#inspected.size >= MOST_INSPECTED) this.#inspected.clear();
    this.#inspected.set(key, found);
    return found;
  }

  typeAt(path: string): 'file' | 'directory' | 'absent' | 'other' {
    if (!path.isWellFormed()) return 'other';
    try {
      return this.#lookAt(path, (_reached, stats) => {
        if (stats === undefined) return 'absent';
        if (stats.isFile()) return 'file';
        return stats.isDirectory() ? 'directory' : 'other';
      });
    } catch (error) {
      return inspectionOf(error).kind === 'absent' ? 'absent' : 'other';
    }
  }

  #inspectOnce(path: string, withHeader: boolean): Inspection {
    if (!path.isWellFormed()) return { kind: 'unreadable', message: 'its name is not UTF-8, so it is not looked up' };
    try {
      return this.#lookAt(path, (reached, stats) => {
        if (stats === undefined) return { kind: 'absent' };
        if (!stats.isFile()) return { kind: 'irregular', message: `it is ${whatIs(stats)}, which is never opened` };
        return withHeader ? this.header(reached, stats) : { kind: 'raw' };
      });
    } catch (error) {
      return inspectionOf(error);
    }
  }

  #lookAt<T>(path: string, use: (reached: string, stats: BigIntStats | undefined) => T): T {
    const look = (reached: string): T => use(reached, lstatSync(reached, { bigint: true, throwIfNoEntry: false }));
    return posix.isAbsolute(path) ? look(path) : this.#below(path, look);
  }

  /**
   * Walks to `path` directory by directory and hands `use` a path whose last component alone is looked up again. A directory that
   * is swapped for a symbolic link meanwhile cannot lead anywhere else. The directory stays open until another is asked for, or
   * until `close`: thousands of overlays are backed by files in one.
   */
  #below<T>(path: string, use: (reached: string) => T): T {
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? '' : path.slice(0, slash);
    if (this.#parent?.path !== parent) {
      this.close();
      this.#parent = { path: parent, fd: this.#openDirectory(parent === '' ? [] : parent.split('/')) };
    }
    return use(`/proc/self/fd/${this.#parent.fd}/${path.slice(slash + 1)}`);
  }

  #openDirectory(names: readonly string[]): number {
    // The instances path itself may be a link: its target is meant.
    let fd = openSync(this.#instancesPath, O_RDONLY | O_DIRECTORY);
    try {
      for (const name of names) {
        const next = openSync(`/proc/self/fd/${fd}/${name}`, OPEN_DIRECTORY);
        closeSync(fd);
        fd = next;
      }
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #open(path: FsPath): number {
    try {
      return openSync(path, OPEN_FILE | this.#noAtime);
    } catch (error) {
      if (this.#noAtime === 0 || errnoOf(error) !== 'EPERM') throw error;
      this.#noAtime = 0;
      return openSync(path, OPEN_FILE);
    }
  }
}

function parseHeader(fd: number, buffer: Buffer): ImageHeader {
  const head = buffer.subarray(0, readUpTo(fd, buffer, 0));
  return parseImageHeader(head, (offset, length) => {
    const more = Buffer.alloc(Math.min(length, MAX_READ_BYTES));
    return more.subarray(0, readUpTo(fd, more, offset));
  });
}

/** Fills the buffer from `offset` on; network file systems may give less than asked for before the end of the file. */
function readUpTo(fd: number, buffer: Buffer, offset: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function whatIs(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  return stats.isBlockDevice() ? 'a block device' : 'not a regular file';
}

function inspectionOf(error: unknown): Inspection {
  switch (errnoOf(error)) {
    case undefined:
      throw error;
    case 'ENOENT':
    case 'ENAMETOOLONG':
      return { kind: 'absent' };
    case 'ENOTDIR':
    case 'ELOOP':
      return {
        kind: 'irregular',
        message: 'it is reached through something that is not a directory',
      };
    default:
      return { kind: 'unreadable', message: messageOf(error) };
  }
}
