import { closeSync, constants, fchmodSync, fchownSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { errnoError, hasErrno, withReadablePath } from '../lib/errors.ts';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** How often a directory is made again that somebody else took for a leftover, or removed. */
const ATTEMPTS = 5;
const LEFTOVER = /^\.basekeeper-[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Of a directory that is not finished: nobody but us may put anything into it. */
const UNFINISHED_MODE = 0o700;
/** Others must not put files into `_base` or `locks`. */
const FINISHED_MODE = 0o755;

/**
 * Opens a directory that Nova must be able to write to, and makes it where there is none.
 *
 * @throws an errno error: ENOTDIR or ELOOP for a symlink or a non-directory, ENOENT when the directory above it is missing,
 * EPERM when a new directory cannot be given to the owner of that one.
 */
export function openOwnedDirectory(path: string): { readonly fd: number; readonly made: boolean } {
  for (let attempt = 1; ; attempt += 1) {
    const found = tryOpen(path, OPEN_DIRECTORY, ['ENOENT']);
    if (found !== undefined) return { fd: found, made: false };
    const made = makeDirectory(path);
    if (made || attempt === ATTEMPTS) return { fd: openSync(path, OPEN_DIRECTORY), made };
  }
}

/** Makes such a directory where there is none. Returns whether it was missing; throws as `openOwnedDirectory` does. */
export function ensureOwnedDirectory(path: string): boolean {
  const { fd, made } = openOwnedDirectory(path);
  closeSync(fd);
  return made;
}

/**
 * Makes the directory under a temporary name, where nobody else can enter it, gives it to the owner of the directory above, and renames
 * it to its own. A rename replaces nothing but an empty directory, so whatever somebody else has put there in time stays. Who is killed
 * on the way leaves an empty directory that the next maker removes, and never one that Nova cannot use. Everything goes through the
 * descriptor of the directory above.
 *
 * Unlike oslo, creates no missing parents: their absence means that the instances path is not mounted. Returns whether it made one.
 */
function makeDirectory(path: string): boolean {
  const parentFd = openParent(path);
  const parentPath = `/proc/self/fd/${parentFd}`;
  const temporary = `${parentPath}/.basekeeper-${randomUUID()}`;
  try {
    removeLeftovers(parentPath);
    makeFinished(temporary, { path, owner: fstatSync(parentFd) });
    try {
      return putInPlace(temporary, `${parentPath}/${basename(path)}`);
    } finally {
      // Gone when it was put in place.
      allowingErrno(['ENOENT', 'ENOTEMPTY'], () => rmdirSync(temporary));
    }
  } catch (error) {
    throw withReadablePath(error, parentPath, dirname(path));
  } finally {
    closeSync(parentFd);
  }
}

/** Of makers that were killed. One that is at work makes its own again. */
function removeLeftovers(parentPath: string): void {
  for (const name of readdirSync(parentPath))
    if (LEFTOVER.test(name)) allowingErrno(['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EACCES', 'EPERM'], () => rmdirSync(`${parentPath}/${name}`));
}

/** It may be reached through a symlink. */
function openParent(path: string): number {
  try {
    return openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw errnoError('ENOENT', `cannot make '${path}': the directory above it does not exist; is it mounted?`, error);
  }
}

function makeFinished(temporary: string, { path, owner }: { readonly path: string; readonly owner: Owner }): void {
  mkdirSync(temporary, UNFINISHED_MODE);
  const fd = openSync(temporary, OPEN_DIRECTORY);
  try {
    if (finish(fd, owner)) return;
  } finally {
    closeSync(fd);
  }
  rmdirSync(temporary);
  throw errnoError('EPERM', `cannot give the new directory '${path}' to the owner of its parent; create it for Nova's user`);
}

function finish(fd: number, owner: Owner): boolean {
  const { uid, mode } = fstatSync(fd);
  // Anyone who owns the directory above can put another one under the temporary name: only an empty one of our own is given away.
  if (uid !== process.geteuid?.() || (mode & 0o777) !== UNFINISHED_MODE || readdirSync(`/proc/self/fd/${fd}`).length > 0) return false;
  // Before it is given away: without CAP_FOWNER, what belongs to others keeps its mode.
  return allowing(() => fchmodSync(fd, FINISHED_MODE)) && giveTo(fd, owner);
}

/** False where somebody else has the name, or has taken our directory for a leftover. */
function putInPlace(temporary: string, name: string): boolean {
  try {
    renameSync(temporary, name);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'ENOENT')) return false;
    throw error;
  }
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

/** Does nothing where `change` fails with one of these. */
export function allowingErrno(codes: readonly string[], change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!hasErrno(error, ...codes)) throw error;
  }
}
