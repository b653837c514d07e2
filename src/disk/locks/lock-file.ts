import { closeSync, constants, fchmodSync, fstatSync, lstatSync } from 'node:fs';
import { errnoError, withReadablePath } from '../../lib/errors.ts';
import { allowing, giveTo, openOwnedDirectory, tryOpen, withoutUmask } from '../owned-directory.ts';

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
  const { fd: directoryFd } = openOwnedDirectory(locksPath);
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
