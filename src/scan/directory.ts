import { lstatSync, opendirSync } from 'node:fs';
import type { Dir, Dirent, StatsBase } from 'node:fs';
import { decodeRawName } from './raw-name.ts';
import type { FsPath, RawName } from './raw-name.ts';

export type EntryType = 'file' | 'directory' | 'link' | 'block device' | 'other';

export interface DirectoryEntry {
  readonly name: RawName;
  /** Undefined where the file system does not say (DT_UNKNOWN): lstat does. */
  readonly type: EntryType | undefined;
}

/**
 * The entries of a directory, a thousand at a time. Ends early, after `onError`, where listing fails; what the loop's body throws
 * passes through. Synchronous; the caller pauses.
 */
export function* readEntries(directory: FsPath, onError: (error: unknown) => void): Generator<DirectoryEntry, void, undefined> {
  let opened: Dir;
  try {
    opened = opendirSync(directory, { encoding: 'latin1', bufferSize: 1000 });
  } catch (error) {
    onError(error);
    return;
  }
  try {
    for (let entry = next(opened, onError); entry !== null; entry = next(opened, onError)) {
      yield { name: decodeRawName(entry.name), type: typeOf(entry) };
    }
  } finally {
    opened.closeSync();
  }
}

/** The type of a directory entry, by lstat where the file system does not give it. `other` also for what has vanished. */
export function entryType(entry: DirectoryEntry, path: FsPath): EntryType {
  if (entry.type !== undefined) return entry.type;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'other' : (typeOf(stats) ?? 'other');
}

function next(directory: Dir, onError: (error: unknown) => void): Dirent | null {
  try {
    return directory.readSync();
  } catch (error) {
    onError(error);
    return null;
  }
}

function typeOf(entry: Dirent | StatsBase<number>): EntryType | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isBlockDevice()) return 'block device';
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() ? 'other' : undefined;
}
