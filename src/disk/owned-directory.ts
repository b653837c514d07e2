import { closeSync, constants, fchmodSync, fchownSync, fstatSync, mkdirSync, openSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoError, hasErrno } from '../lib/errors.ts';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Opens a directory that Nova must be able to write to, and makes it where there is none.
 *
 * @throws an errno error: ENOTDIR or ELOOP for a symlink or a non-directory, ENOENT when the directory above it is missing,
 * EPERM when a new directory cannot be given to the owner of that one.
 */
export function openOwnedDirectory(path: string): { readonly fd: number; readonly made: boolean } {
  const found = tryOpen(path, OPEN_DIRECTORY, ['ENOENT']);
  const fd = found ?? makeDirectory(path);
  try {
    finishDirectory(fd, path);
    return { fd, made: found === undefined };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Makes such a directory where there is none. Returns whether it was missing; throws as `openOwnedDirectory` does. */
export function ensureOwnedDirectory(path: string): boolean {
  const { fd, made } = openOwnedDirectory(path);
  closeSync(fd);
  return made;
}

/** What a new directory has until it is Nova's: whoever made it may be killed before, and must not have locked Nova out. */
const UNFINISHED_MODE = 0o777;

/** Unlike oslo, creates no missing parents: their absence means that the instances path is not mounted. */
function makeDirectory(path: string): number {
  try {
    withoutUmask(() => mkdirSync(path, UNFINISHED_MODE));
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return openSync(path, OPEN_DIRECTORY);
}

/**
 * Nova must be able to create files in a new directory, and others must not: it gets its parent's owner, or does not come to
 * exist. Does nothing to a directory that is in use or that somebody else made.
 */
function finishDirectory(fd: number, path: string): void {
  const { uid, mode } = fstatSync(fd);
  if (uid !== process.geteuid?.() || (mode & 0o1777) !== UNFINISHED_MODE || readdirSync(`/proc/self/fd/${fd}`).length > 0) return;
  // Without CAP_FOWNER, what has been given away keeps its mode: everybody could put files into it.
  if (giveTo(fd, ownerOf(dirname(path))) && allowing(() => fchmodSync(fd, 0o755))) return;
  rmdirSync(path);
  throw errnoError('EPERM', `cannot give the new directory '${path}' to the owner of its parent; create it for Nova's user`);
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The parent of the directory may be reached through a symlink; only its owner is asked. */
export function ownerOf(path: string): Owner {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined where opening fails as expected. */
export function tryOpen(path: string, flags: number, expected: readonly string[]): number | undefined {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    if (hasErrno(error, ...expected)) return undefined;
    throw error;
  }
}

/** Whether `owner` owns the open file afterwards. */
export function giveTo(fd: number, owner: Owner): boolean {
  const now = fstatSync(fd);
  if (now.uid === owner.uid && now.gid === owner.gid) return true;
  return allowing(() => fchownSync(fd, owner.uid, owner.gid));
}

/** What is made gets the mode that is asked for. */
export function withoutUmask<T>(make: () => T): T {
  const before = process.umask(0);
  try {
    return make();
  } finally {
    process.umask(before);
  }
}

/** Whether `change` was permitted: without CAP_CHOWN, in a user namespace or on NFS it may not be. */
export function allowing(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (hasErrno(error, 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return false;
    throw error;
  }
}
