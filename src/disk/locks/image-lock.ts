import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import type { FileIdentity } from '../../model/plan.ts';
import type { BaseFileStat } from '../../model/ports.ts';
import { hasErrno } from '../../lib/errors.ts';
import { statEntry, toStat } from '../entry-stat.ts';

/** QEMU's `RAW_LOCK_PERM_BASE` 100 and `RAW_LOCK_SHARED_BASE` 200 (block/file-posix.c), one byte for each permission. */
const IMAGE_LOCK_OFFSET = 100;
const IMAGE_LOCK_LENGTH = 201;

/**
 * Runs `whileHeld` under the lock of QEMU. A running QEMU holds read locks in the range on every image of a chain, backing files included:
 * a write lock on it is refused.
 */
export function withImageLock(path: string, identity: FileIdentity, whileHeld: () => void): 'done' | 'busy' | 'changed' | 'gone' {
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
