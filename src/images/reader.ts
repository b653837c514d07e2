import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Clock } from '../model/ports.ts';
import type { ImageHeader, Inspection } from './header.ts';
import type { HeaderCache } from './header-cache.ts';
import { probeFormat } from './format.ts';
import { HEAD_BYTES, MAX_NAME_BYTES, parseQcow2Header } from './qcow2-header.ts';
import type { FsPath } from '../disk/raw-name.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME, O_DIRECTORY } = constants;
const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const OPEN_DIRECTORY = O_RDONLY | O_NOFOLLOW | O_DIRECTORY;

/**
 * Reads image headers below the instances path, for one scan. Opens regular files and directories only, and never through a
 * symbolic link.
 */
export class ImageReader {
  readonly #instancesPath: string;
  readonly #cache: HeaderCache;
  readonly #clock: Clock;
  readonly #head = Buffer.allocUnsafe(HEAD_BYTES);
  readonly #inspected = new Map<string, Inspection>();
  /** Reading must not count as access; only the owner or CAP_FOWNER may ask for that. */
  #noAtime = O_NOATIME;
  /** The directory that a path was last looked up in: nearly always the base directory. */
  #parent: { readonly path: string; readonly fd: number } | undefined;
  #read = 0;
  #cached = 0;

  constructor(instancesPath: string, cache: HeaderCache, clock: Clock) {
    this.#instancesPath = instancesPath;
    this.#cache = cache;
    this.#clock = clock;
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
    return this.#cached;
  }

  /** The header of a file that lstat called regular. Throws an errno error; ENOENT when it has vanished. */
  header(path: FsPath, stats: BigIntStats): ImageHeader | { readonly kind: 'irregular'; readonly message: string } {
    const cached = this.#cache.get(stats);
    if (cached !== undefined) {
      this.#cached += 1;
      return cached;
    }
    const fd = this.#open(path);
    try {
      const opened = fstatSync(fd, { bigint: true });
      if (!opened.isFile()) return { kind: 'irregular', message: 'it is not a regular file' };
      const { wallMs } = this.#clock.now();
      this.#read += 1;
      const header = parseHeader(fd, this.#head);
      this.#cache.put(opened, header, wallMs);
      return header;
    } finally {
      closeSync(fd);
    }
  }

  /** What a path relative to the instances path leads to. Looked up once in a scan. */
  inspect(path: string, withHeader: boolean): Inspection {
    const key = withHeader ? path : `${path}\0`;
    const known = this.#inspected.get(key);
    if (known !== undefined) return known;
    const found = this.#inspectOnce(path, withHeader);
    this.#inspected.set(key, found);
    return found;
  }

  #inspectOnce(path: string, withHeader: boolean): Inspection {
    try {
      return this.#below(path, (reached) => {
        const stats = lstatSync(reached, { bigint: true, throwIfNoEntry: false });
        if (stats === undefined) return { kind: 'absent' };
        if (stats.isSymbolicLink()) return { kind: 'irregular', message: 'it is a symbolic link, which is not followed' };
        if (!stats.isFile()) return { kind: 'irregular', message: 'it is not a regular file' };
        return withHeader ? this.header(reached, stats) : { kind: 'raw' };
      });
    } catch (error) {
      return inspectionOf(error);
    }
  }

  /**
   * Walks to `path` directory by directory and hands `use` a path whose last component alone is looked up again. A directory that
   * is swapped for a symbolic link meanwhile cannot lead anywhere else. The directory stays open until another is asked for, or
   * until `close`: thousands of overlays stand on files in one.
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
    // The instances path itself may be a link: anyone who configured it means its target.
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
  const format = probeFormat(head);
  if (format.kind !== 'qcow2') return format;
  return parseQcow2Header(head, (offset, length) => {
    const more = Buffer.alloc(Math.min(length, MAX_NAME_BYTES));
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
        message: 'it is reached through a symbolic link or something that is not a directory, which is not followed',
      };
    default:
      return { kind: 'unreadable', message: messageOf(error) };
  }
}
