import { closeSync, constants, fstatSync, lstatSync, lutimesSync, openSync, unlinkSync, type BigIntStats } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import type { FileIdentity } from '../model/plan.ts';
import type { BaseFileStat, DirectoryEntries } from '../model/ports.ts';
import { errnoError, hasErrno, withReadablePath } from '../lib/errors.ts';
import { isEntryName } from './entry-name.ts';

/** QEMU's `RAW_LOCK_PERM_BASE` 100 and `RAW_LOCK_SHARED_BASE` 200 (block/file-posix.c), one byte for each permission. */
const IMAGE_LOCK_OFFSET = 100;
const IMAGE_LOCK_LENGTH = 201;

/** A directory that is held by descriptor. */
export interface OpenDirectory {
  readonly entries: DirectoryEntries;
  /** Runs `operation` with the path that reaches `name` through the descriptor. Throws EBADF after `close`, EINVAL for what is not a name. */
  readonly at: <T>(name: string, operation: (path: string) => T) => T;
  /** As `at`, for the directory itself. */
  readonly self: <T>(operation: (path: string) => T) => T;
}

/**
 * Every operation goes through `/proc/self/fd/<fd>/<name>`: whatever is renamed, unmounted or linked into the path afterwards,
 * the directory stays the one that was opened. `path` is for messages. The descriptor belongs to what is returned.
 */
export function holdDirectory(fd: number, path: string): OpenDirectory {
  const descriptorPath = `/proc/self/fd/${fd}`;
  let closed = false;
  const reach = <T>(reached: string, operation: (path: string) => T): T => {
    // A closed descriptor's number may stand for another directory by now.
    if (closed) throw errnoError('EBADF', `'${path}' is closed`);
    try {
      return operation(reached);
    } catch (error) {
      throw withReadablePath(error, descriptorPath, path);
    }
  };
  const at = <T>(name: string, operation: (path: string) => T): T => {
    if (!closed && !isEntryName(name)) throw errnoError('EINVAL', `'${name}' is not a file name`);
    return reach(`${descriptorPath}/${name}`, operation);
  };
  const entries: DirectoryEntries = {
    stat: (name) => at(name, statEntry),
    touch: (name, nowMs) => at(name, (reached) => lutimesSync(reached, nowMs / 1000, nowMs / 1000)),
    withImageLock: (name, identity, whileHeld) => at(name, (reached) => withImageLock(reached, identity, whileHeld)),
    unlink: (name) => at(name, unlinkSync),
    close() {
      if (closed) return;
      closed = true;
      closeSync(fd);
    },
  };
  return { entries, at, self: (operation) => reach(descriptorPath, operation) };
}

function statEntry(path: string): BaseFileStat | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : toStat(stats);
}

function toStat(stats: BigIntStats): BaseFileStat {
  return {
    device: stats.dev.toString(),
    inode: stats.ino.toString(),
    modifiedAtNs: stats.mtimeNs.toString(),
    modifiedAtMs: Number(stats.mtimeNs) / 1e6,
    regular: stats.isFile(),
  };
}

/** A running QEMU holds read locks in the range on every image of a chain, backing files included: a write lock on it is refused. */
function withImageLock(path: string, identity: FileIdentity, whileHeld: () => void): 'done' | 'busy' | 'changed' | 'gone' {
  const seen = statEntry(path);
  if (seen === undefined) return 'gone';
  // Never opened: a FIFO would answer a writer somewhere, a device might do anything.
  if (!seen.regular) return 'changed';
  const fd = openForLocking(path);
  if (typeof fd === 'string') return fd;
  try {
    if (!isIdentical(toStat(fstatSync(fd, { bigint: true })), identity)) return 'changed';
    if (!tryLock(fd, IMAGE_LOCK_OFFSET, IMAGE_LOCK_LENGTH)) return 'busy';
    whileHeld();
    return 'done';
  } finally {
    // The lock goes with the descriptor, of which no child process has a copy: this program starts none.
    closeSync(fd);
  }
}

/** Read-write, because a write lock needs a writable descriptor; nothing is ever written. */
function openForLocking(path: string): number | 'gone' | 'changed' {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 'gone';
    if (hasErrno(error, 'ELOOP')) return 'changed';
    throw error;
  }
}

function isIdentical(stat: BaseFileStat, identity: FileIdentity): boolean {
  return stat.regular && stat.device === identity.device && stat.inode === identity.inode && stat.modifiedAtNs === identity.modifiedAtNs;
}
