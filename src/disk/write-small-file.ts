import { closeSync, constants, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { giveTo, ownerOf } from './owned-directory.ts';
import { readOpenFile, type SmallFile } from './read-small-file.ts';

/** Replaces the file, or makes it, by rename: nobody ever sees half of it. Throws an errno error. */
export function replaceFile(path: string, text: string): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.tmp`);
  const fd = createTemporary(temporary);
  try {
    try {
      giveTo(fd, ownerOf(directory));
      writeAll(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What is there was left behind by somebody who died: there is one writer of a file at a time. */
function createTemporary(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o644);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  rmSync(path, { force: true });
  return openSync(path, flags, 0o644);
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
