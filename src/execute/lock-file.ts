import { closeSync, constants, fchmodSync, fchownSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoError, hasErrno, withReadablePath } from './errno.ts';

/** An open lock file and the directory that it was opened in. Both descriptors are the caller's to close. */
export interface LockFile {
  readonly fd: number;
  readonly directoryFd: number;
}

/** `raced`: somebody removed or created the file at the same moment; try again. */
export type OpenedLockFile = LockFile | 'raced';

/** The path that reaches `name` through the descriptor, whatever became of the directory's own path. */
export function entryPath(directoryFd: number, name: string): string {
  return `/proc/self/fd/${directoryFd}/${name}`;
}

/**
 * Opens a lock file as fasteners' `InterProcessLock` does (append, never truncated), without following a symlink at either
 * level and without opening anything but a regular file.
 *
 * @throws an errno error: ENOTDIR or ELOOP for a symlink or a non-directory, EINVAL for a lock path that is no regular file,
 * EPERM when a new lock directory cannot be given to the owner of its parent.
 */
export function openLockFile(locksPath: string, name: string): OpenedLockFile {
  const directoryFd = openLocksDirectory(locksPath);
  let fd: number | 'raced' = 'raced';
  try {
    fd = openEntry(directoryFd, name);
    return typeof fd === 'number' ? { fd, directoryFd } : fd;
  } catch (error) {
    throw withReadablePath(error, `/proc/self/fd/${directoryFd}`, locksPath);
  } finally {
    if (typeof fd !== 'number') closeSync(directoryFd);
  }
}

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

function openLocksDirectory(locksPath: string): number {
  const fd = tryOpen(locksPath, OPEN_DIRECTORY, ['ENOENT']) ?? makeLocksDirectory(locksPath);
  try {
    finishLocksDirectory(fd, locksPath);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What a new lock directory has until it is Nova's: whoever made it may be killed before, and must not have locked Nova out. */
const UNFINISHED_MODE = 0o777;

/** Unlike oslo, creates no missing parents: their absence means that the instances path is not mounted. */
function makeLocksDirectory(locksPath: string): number {
  try {
    withoutUmask(() => mkdirSync(locksPath, UNFINISHED_MODE));
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return openSync(locksPath, OPEN_DIRECTORY);
}

/**
 * Nova must be able to create lock files in a new directory, and others must not: it gets its parent's owner, or does not come to
 * exist. Does nothing to a directory that is in use or that somebody else made.
 */
function finishLocksDirectory(fd: number, locksPath: string): void {
  const { uid, mode } = fstatSync(fd);
  if (uid !== process.geteuid?.() || (mode & 0o1777) !== UNFINISHED_MODE || readdirSync(`/proc/self/fd/${fd}`).length > 0) return;
  if (giveTo(fd, ownerOf(dirname(locksPath)))) {
    allowing(() => fchmodSync(fd, 0o755));
    return;
  }
  rmdirSync(locksPath);
  throw errnoError('EPERM', `cannot give the new directory '${locksPath}' to the owner of its parent; create it for Nova's user`);
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The parent of the lock directory may be reached through a symlink; only its owner is asked. */
export function ownerOf(path: string): Owner {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function openEntry(directoryFd: number, name: string): number | 'raced' {
  const path = entryPath(directoryFd, name);
  const seen = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (seen === undefined) return createEntry(directoryFd, path);
  if (!seen.isFile()) throw errnoError('EINVAL', `the lock file '${path}' is no regular file`);
  const fd = tryOpen(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK, ['ENOENT']);
  if (fd === undefined) return 'raced';
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return 'raced';
}

function createEntry(directoryFd: number, path: string): number | 'raced' {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_CREAT | constants.O_EXCL;
  // Nova opens its lock files for writing and fails for good when it may not: until the file is Nova's, it is everybody's. We may be
  // killed at any moment.
  const fd = withoutUmask(() => tryOpen(path, flags, ['EEXIST']));
  if (fd === undefined) return 'raced';
  const directory = fstatSync(directoryFd);
  if (giveTo(fd, directory)) allowing(() => fchmodSync(fd, 0o644 | (directory.mode & 0o022)));
  return fd;
}

function tryOpen(path: string, flags: number, expected: readonly string[]): number | undefined {
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
function withoutUmask<T>(make: () => T): T {
  const before = process.umask(0);
  try {
    return make();
  } finally {
    process.umask(before);
  }
}

/** Whether `change` was permitted: without CAP_CHOWN, in a user namespace or on NFS it may not be. */
function allowing(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (hasErrno(error, 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return false;
    throw error;
  }
}
