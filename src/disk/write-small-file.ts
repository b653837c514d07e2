import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { giveTo, ownerOf } from './owned-directory.ts';
import { readOpenFile, type SmallFile } from './read-small-file.ts';

/** Runs `operation` with the path of a name in one directory. */
type Reach = <T>(name: string, operation: (path: string) => T) => T;

/** A file that takes the place of another by rename, when all of it is on the disk: nobody ever sees half of it. */
interface Replacement {
  /** Of the directory; the file is then renamed within it. */
  readonly reach: Reach;
  readonly name: string;
  /** One left behind under this name is removed: a name that two writers may use at once must be a random one. */
  readonly temporary: string;
  readonly mode: number;
  /** Who gets the file; without it, it stays ours. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Replaces the file, or makes it, for the owner of its directory. There is one writer of it at a time. Throws an errno error. */
export function replaceFile(path: string, text: string): void {
  const directory = dirname(path);
  const name = basename(path);
  const reach: Reach = (entry, operation) => operation(join(directory, entry));
  const replacement = { reach, name, temporary: `.${name}.tmp`, mode: 0o644, owner: ownerOf(directory) };
  const fd = begin(replacement);
  try {
    try {
      write(fd, text, replacement);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    finish(replacement);
  } catch (error) {
    discard(replacement);
    throw error;
  }
}

/**
 * As `replaceFile`, for a file of ours: the event loop turns while the disk takes it.
 *
 * @param temporary for a file that one writer at a time replaces. By default a random name: several may write at once.
 */
export async function replaceOwnFile(
  reach: Reach,
  name: string,
  text: string,
  temporary: string = `.${randomBytes(16).toString('hex')}`,
): Promise<void> {
  const replacement = { reach, name, temporary, mode: 0o600 };
  const fd = begin(replacement);
  try {
    try {
      write(fd, text, replacement);
      await promisify(fsync)(fd);
    } finally {
      closeSync(fd);
    }
    finish(replacement);
  } catch (error) {
    discard(replacement);
    throw error;
  }
}

function begin({ reach, temporary, mode }: Replacement): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return reach(temporary, (path) => {
    try {
      return openSync(path, flags, mode);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    removeLeftover(path);
    return openSync(path, flags, mode);
  });
}

/** Of one that was killed. */
function removeLeftover(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) throw errnoError('EISDIR', `'${path}' is a directory, where a temporary file should be made: remove it`);
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

function write(fd: number, text: string, { owner }: Replacement): void {
  if (owner !== undefined) giveTo(fd, owner);
  writeAll(fd, text);
}

function finish({ reach, name, temporary }: Replacement): void {
  reach(temporary, (from) => reach(name, (to) => takePlace(from, to)));
}

function takePlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) throw errnoError('EISDIR', `'${to}' is a directory, where this file should be: remove it`);
    throw error;
  }
}

function discard({ reach, temporary }: Replacement): void {
  reach(temporary, (path) => rmSync(path, { force: true }));
}

/** Why a file must not be written over, if so. */
export type Refusal = (found: SmallFile) => string | undefined;

/**
 * Writes over the file and keeps its inode, owner and mode: Nova writes it so as well, and a mount of the file would lose a new one. A file
 * that is not there yet is made by rename, for the owner of its directory. `refuse` is asked about the very file that is then written.
 * Throws an errno error; EPERM where `refuse` gives a reason.
 */
export function overwriteFile(path: string, text: string, refuse: Refusal, maximumBytes: number): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    replaceFile(path, text);
    return;
  }
  try {
    const reason = refuse(readOpenFile(fd, path, maximumBytes));
    if (reason !== undefined) throw errnoError('EPERM', `not written: ${reason}`);
    // Nothing is cut off before the rest is there: what a crash leaves is never an empty file.
    ftruncateSync(fd, writeAll(fd, text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** How many bytes the text has. */
function writeAll(fd: number, text: string): number {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, written);
  return written;
}
