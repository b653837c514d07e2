import { closeSync, constants, fchmodSync, fstatSync, linkSync, lstatSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { errnoError, errnoOf, hasErrno, messageOf, withReadablePath } from '../../lib/errors.ts';
import { allowing, allowingErrno, giveTo, openOwnedDirectory, tryOpen, withoutUmask } from '../owned-directory.ts';

const OPEN_EXISTING = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const OPEN_NEW = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_CREAT | constants.O_EXCL;

/** Of a file that is not finished: nobody but us may open it. */
const UNFINISHED_MODE = 0o600;
const LEFTOVER = /^\.basekeeper-lock-[0-9a-f-]{36}$/;
/**
 * A file system without hard links, a kernel that refuses them for files of others, or no room for a second name. A full file system must
 * not keep us from making room.
 */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'ENOSPC', 'EDQUOT'];

/** Anyone who may write into the directory may write its lock files. */
function finishedMode(directory: { readonly mode: number }): number {
  return 0o644 | (directory.mode & 0o022);
}

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

/** Opens the lock files of one locker, and makes those that are missing. */
export class LockFiles {
  #isTidy = false;

  /**
   * Opens a lock file as fasteners' `InterProcessLock` does (append, never truncated), without following a symlink and without
   * opening anything but a regular file.
   *
   * @throws an errno error: ELOOP for a symlink, EINVAL for a lock path that is not a regular file.
   */
  open(directory: LockDirectory, name: string): OpenedLockFile {
    try {
      return this.#open(directory, name);
    } catch (error) {
      throw withReadablePath(error, `/proc/self/fd/${directory.fd}`, directory.path);
    }
  }

  #open(directory: LockDirectory, name: string): OpenedLockFile {
    const path = entryPath(directory, name);
    const seen = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (seen !== undefined && !seen.isFile()) throw errnoError('EINVAL', `the lock file '${path}' is not a regular file`);
    const fd = seen === undefined ? this.#create(directory, path) : tryOpen(path, OPEN_EXISTING, ['ENOENT']);
    if (fd === undefined) return 'raced';
    const opened = fstatSync(fd, { bigint: true });
    if (opened.isFile()) return { fd, device: opened.dev, inode: opened.ino };
    closeSync(fd);
    return 'raced';
  }

  /** Undefined where somebody else makes it at the same moment. */
  #create(directory: LockDirectory, path: string): number | undefined {
    if (!this.#isTidy) removeLeftovers(directory);
    this.#isTidy = true;
    if (createAside(directory, path) === 'refused') return createInPlace(directory, path);
    return tryOpen(path, OPEN_EXISTING, ['ENOENT']);
  }
}

/** Of agents that were killed. One that is at work makes its file again. */
function removeLeftovers(directory: LockDirectory): void {
  try {
    for (const name of readdirSync(`/proc/self/fd/${directory.fd}`)) if (LEFTOVER.test(name)) unlinkSync(entryPath(directory, name));
  } catch (error) {
    // They are empty and in nobody's way.
    if (errnoOf(error) === undefined) throw error;
  }
}

/**
 * Makes the file under a temporary name, where nobody else can open it, gives it to Nova, and links it to its own name, which replaces
 * nothing. Anyone who is killed on the way leaves nothing under that name. `refused`: the file system does not let us.
 */
function createAside(directory: LockDirectory, path: string): 'there' | 'refused' {
  const temporary = entryPath(directory, `.basekeeper-lock-${randomUUID()}`);
  try {
    return makeFinished(temporary, directory, path) ? place(temporary, path) : 'refused';
  } finally {
    // Gone when somebody took it for a leftover.
    allowingErrno(['ENOENT'], () => unlinkSync(temporary));
  }
}

/** The file is closed when it is linked: NFS renames what is unlinked while it is open. */
function makeFinished(temporary: string, directory: LockDirectory, path: string): boolean {
  const fd = openUnfinished(temporary, path);
  try {
    return finish(fd, directory.fd);
  } finally {
    closeSync(fd);
  }
}

function openUnfinished(temporary: string, path: string): number {
  try {
    return openSync(temporary, OPEN_NEW, UNFINISHED_MODE);
  } catch (error) {
    throw errnoError(errnoOf(error) ?? 'EIO', `the lock file '${path}' cannot be made: ${messageOf(error)}`);
  }
}

/** Nova opens its lock files for writing and fails for good when it may not: what cannot be Nova's is everybody's. */
function finish(fd: number, directoryFd: number): boolean {
  const directory = fstatSync(directoryFd);
  // Before it is given away: without CAP_FOWNER, what belongs to others keeps its mode.
  if (!allowing(() => fchmodSync(fd, finishedMode(directory)))) return false;
  return giveTo(fd, directory) || allowing(() => fchmodSync(fd, 0o666));
}

function place(temporary: string, path: string): 'there' | 'refused' {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (hasErrno(error, ...NO_LINKS)) return 'refused';
    // Somebody was quicker, or took our file for a leftover: the name shows which.
    if (!hasErrno(error, 'EEXIST', 'ENOENT')) throw error;
  }
  return 'there';
}

/** We may be killed at any moment: until the file is Nova's, it is everybody's. */
function createInPlace(directory: LockDirectory, path: string): number | undefined {
  const fd = withoutUmask(() => tryOpen(path, OPEN_NEW, ['EEXIST']));
  if (fd === undefined) return undefined;
  const owner = fstatSync(directory.fd);
  if (giveTo(fd, owner)) allowing(() => fchmodSync(fd, finishedMode(owner)));
  return fd;
}
