import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { holdDirectory, type OpenDirectory } from '../disk/held-directory.ts';
import { openOwnedDirectory } from '../disk/owned-directory.ts';
import { errnoError, hasErrno, withReadablePath } from '../lib/errors.ts';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Nobody but us has business in it. */
const OWN_MODE = 0o700;
const OTHERS_MAY_WRITE = 0o022;
/** Far more than a ledger begins with: a directory or two, its lock, a first file and its head. Lock files of Nova need the rest. */
const FILES_TO_BEGIN = 16;
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

export interface LedgerPlace {
  /** Of all hosts: `basekeeper-ledger` below the lock directory, or a path of its own. */
  readonly directory: string;
  readonly locksPath: string;
  /** By which this host is known to others. */
  readonly host: string;
}

export function ledgerPath({ directory, host }: LedgerPlace): string {
  return join(directory, host);
}

/**
 * Opens the ledger's directory of this host, and makes it where there is none. The lock directory belongs to Nova's user, so what lies there
 * under our name is believed only where it is ours: a directory, no link to one, that belongs to us and that nobody else may write to.
 *
 * @throws an errno error: ELOOP or ENOTDIR for a link or a file in its place, EPERM where it is not ours.
 */
export function openLedgerDirectory(place: LedgerPlace): OpenDirectory {
  const { directory, locksPath, host } = place;
  if (!HOST.test(host)) throw errnoError('EINVAL', `'${host}' cannot be the name of a directory: correct sharedStorage.hostName`);
  const above = dirname(directory);
  const aboveFd = above === locksPath ? openOwnedDirectory(above).fd : openAbove(above);
  const all = below(aboveFd, basename(directory), directory);
  return holdDirectory(below(all, host, ledgerPath(place)), ledgerPath(place));
}

function openAbove(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw errnoError('ENOENT', `'${path}' does not exist: mount it, or correct ledger.directory`, error);
  }
}

/** Closes the directory above. */
function below(aboveFd: number, name: string, path: string): number {
  try {
    const fd = openOrMake(aboveFd, name);
    try {
      checkOurs(fd, path);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    throw withReadablePath(error, `/proc/self/fd/${aboveFd}`, dirname(path));
  } finally {
    closeSync(aboveFd);
  }
}

function openOrMake(aboveFd: number, name: string): number {
  const reached = `/proc/self/fd/${aboveFd}/${name}`;
  try {
    return openSync(reached, OPEN_DIRECTORY);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  // Each of the last inodes is for a lock file, under which a removal frees one.
  const { files, ffree } = statfsSync(`/proc/self/fd/${aboveFd}`);
  if (files > 0 && ffree < FILES_TO_BEGIN) throw errnoError('ENOSPC', `no more than ${ffree} files can be made there`);
  try {
    mkdirSync(reached, OWN_MODE);
    fsyncSync(aboveFd);
  } catch (error) {
    // Another process came first.
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return openSync(reached, OPEN_DIRECTORY);
}

function checkOurs(fd: number, path: string): void {
  const { uid, mode } = fstatSync(fd);
  if (uid !== process.geteuid?.() && uid !== 0)
    throw errnoError('EPERM', `'${path}' belongs to user ${uid}: find out who made it, and move it away`);
  if ((mode & OTHERS_MAY_WRITE) !== 0)
    throw errnoError('EPERM', `others may write to '${path}': check what lies there, then chmod go-w it`);
}
