import { closeSync, constants, fchmodSync, fstatSync, lstatSync } from 'node:fs';
import { errnoError, withReadablePath } from '../../lib/errors.ts';
import { allowing, giveTo, openOwnedDirectory, tryOpen, withoutUmask } from '../owned-directory.ts';

const OPEN_EXISTING = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const OPEN_NEW = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_CREAT | constants.O_EXCL;

/** An open lock file. The descriptor is the caller's to close. */
export interface LockFile {
  readonly fd: number;
  readonly device: bigint;
  readonly inode: bigint;
}

/** `raced`: somebody removed or created the file at the same moment; try again. */
export type OpenedLockFile = LockFile | 'raced';

/** The directory of the lock files, held by descriptor. */
export interface LockDirectory {
  readonly fd: number;
  readonly path: string;
}

/**
 * The directory is made where there is none.
 *
 * @throws as `openOwnedDirectory`: EPERM when a new directory cannot be given to the owner of its parent.
 */
export function openLockDirectory(path: string): LockDirectory {
  return { fd: openOwnedDirectory(path).fd, path };
}

/** The path that reaches `name` through the descriptor, whatever became of the directory's own path. */
export function entryPath({ fd }: LockDirectory, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

/**
 * Opens a lock file as fasteners' `InterProcessLock` does (append, never truncated), without following a symlink and without
 * opening anything but a regular file.
 *
 * @throws an errno error: ELOOP for a symlink, EINVAL for a lock path that is not a regular file.
 */
export function openLockFile(directory: LockDirectory, name: string): OpenedLockFile {
  try {
    return openEntry(directory, name);
  } catch (error) {
    throw withReadablePath(error, `/proc/self/fd/${directory.fd}`, directory.path);
  }
}

function openEntry(directory: LockDirectory, name: string): OpenedLockFile {
  const path = entryPath(directory, name);
  const seen = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (seen !== undefined && !seen.isFile()) throw errnoError('EINVAL', `the lock file '${path}' is not a regular file`);
  const fd = seen === undefined ? createEntry(directory.fd, path) : tryOpen(path, OPEN_EXISTING, ['ENOENT']);
  if (fd === undefined) return 'raced';
  const opened = fstatSync(fd, { bigint: true });
  if (opened.isFile()) return { fd, device: opened.dev, inode: opened.ino };
  closeSync(fd);
  return 'raced';
}

function createEntry(directoryFd: number, path: string): number | undefined {
  // Nova opens its lock files for writing and fails for good when it may not: until the file is Nova's, it is everybody's. We may be
  // killed at any moment.
  const fd = withoutUmask(() => tryOpen(path, OPEN_NEW, ['EEXIST']));
  if (fd === undefined) return undefined;
  const directory = fstatSync(directoryFd);
  if (giveTo(fd, directory)) allowing(() => fchmodSync(fd, 0o644 | (directory.mode & 0o022)));
  return fd;
}
