import { lstatSync, opendirSync, readdirSync, type BigIntStats, type Dir, type Dirent, type Stats, type StatsBase } from 'node:fs';
import type { FsPath } from './raw-name.ts';

export type EntryType = 'file' | 'directory' | 'link' | 'block device' | 'other';

/** Few enough to be in the processor's cache, and young, when they are looked at; the system call fetches more than that at once. */
const ENTRIES_PER_READ = 64;

/**
 * The entries of a directory, read a few at a time; names in Latin-1, for `decodeRawName`. Ends early, after `onError`, where
 * listing fails. Synchronous; the caller pauses.
 */
export class DirectoryEntries implements Disposable {
  readonly #onError: (error: unknown) => void;
  #opened: Dir | undefined;

  constructor(directory: FsPath, onError: (error: unknown) => void) {
    this.#onError = onError;
    try {
      this.#opened = opendirSync(directory, { encoding: 'latin1', bufferSize: ENTRIES_PER_READ });
    } catch (error) {
      onError(error);
    }
  }

  next(): Dirent | null {
    try {
      return this.#opened?.readSync() ?? null;
    } catch (error) {
      this.#onError(error);
      return null;
    }
  }

  [Symbol.dispose](): void {
    this.#opened?.closeSync();
    this.#opened = undefined;
  }
}

/** As `DirectoryEntries`; what the body of the loop throws passes through. */
export function readEntries(directory: FsPath, onError: (error: unknown) => void): IterableIterator<Dirent> {
  return new EntryIterator(new DirectoryEntries(directory, onError));
}

/** A generator would take longer for each entry than reading it does. One result serves all entries. */
class EntryIterator implements IterableIterator<Dirent> {
  readonly #entries: DirectoryEntries;
  readonly #result: { value: Dirent; done: false } = { value: undefined as never, done: false };

  constructor(entries: DirectoryEntries) {
    this.#entries = entries;
  }

  next(): IteratorResult<Dirent> {
    const entry = this.#entries.next();
    if (entry === null) return this.return();
    this.#result.value = entry;
    return this.#result;
  }

  return(): IteratorResult<Dirent> {
    this.#entries[Symbol.dispose]();
    return { value: undefined, done: true };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** The type of an entry, by lstat where the file system does not give it (DT_UNKNOWN). `other` also for what has vanished. */
export function entryType(entry: Dirent, path: FsPath): EntryType {
  const type = typeOf(entry);
  if (type !== undefined) return type;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'other' : (typeOf(stats) ?? 'other');
}

/** Directories up to this `st_size` have a thousand entries at most on the usual file systems. */
const SMALL_DIRECTORY_BYTES = 65_536;

/**
 * As `readEntries`, for a directory that is expected to be small and must not be a symbolic link: read at once, which takes less
 * than half the time, unless it turns out to be large. `known`: what lstat has just said of it.
 */
export function readSmallDirectory(directory: FsPath, onError: (error: unknown) => void, known?: BigIntStats): Iterable<Dirent> {
  try {
    const stats: Stats | BigIntStats = known ?? lstatSync(directory);
    if (stats.isDirectory() && stats.size <= SMALL_DIRECTORY_BYTES)
      return readdirSync(directory, { encoding: 'latin1', withFileTypes: true });
    if (stats.isDirectory()) return readEntries(directory, onError);
    // It was a directory when it was listed; anyone who swapped it is at work right now.
    throw Object.assign(new Error('it is no longer a directory'), { code: 'ENOTDIR' });
  } catch (error) {
    onError(error);
    return [];
  }
}

/** Undefined where the file system does not say (DT_UNKNOWN). */
export function typeOf(entry: Dirent | StatsBase<number>): EntryType | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isBlockDevice()) return 'block device';
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() ? 'other' : undefined;
}
