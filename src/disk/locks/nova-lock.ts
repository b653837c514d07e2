import { closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock, unlock } from 'fs-native-extensions';
import { errnoError, errnoOf } from '../../lib/errors.ts';
import type { FileLocker, HeldLock } from '../../model/ports.ts';
import { entryPath, openLockFile, type LockFile } from './lock-file.ts';
import { isEntryName } from '../entry-name.ts';

/** fasteners' `DELAY_INCREMENT` and `MAX_DELAY`: 10 ms longer after each attempt, at most 100 ms. */
const DELAY_INCREMENT_MS = 10;
const MAX_DELAY_MS = 100;

export interface FileLockerOptions {
  /** Nova's `<instances_path>/locks`. Created when missing; a symlink is refused. */
  readonly locksPath: string;
  /** oslo's `lock_file_prefix`. Default `nova-`. */
  readonly lockFilePrefix?: string | undefined;
}

/**
 * Takes `<locksPath>/<prefix><file name>` as an OFD write record lock over the whole file, which excludes the `fcntl.lockf`
 * lock that Nova takes through oslo.concurrency and fasteners, and another Basekeeper in this process as well.
 *
 * The wait polls, as fasteners does: a thread blocked in F_OFD_SETLKW could not be called back when the pass is stopped.
 * Nothing is open between two attempts, so a cancelled wait leaves neither a lock nor a descriptor behind.
 */
export function createFileLocker(options: FileLockerOptions): FileLocker {
  const { locksPath, lockFilePrefix = 'nova-' } = options;
  return {
    async acquire(fileName, { timeoutSeconds, signal }) {
      if (!isEntryName(fileName)) throw errnoError('EINVAL', `'${fileName}' is no file name`);
      const attempt = () => tryAcquire(locksPath, `${lockFilePrefix}${fileName}`);
      return await poll(attempt, timeoutSeconds * 1000, signal);
    },
  };
}

async function poll(attempt: () => HeldFile | 'busy', timeoutMs: number, signal: AbortSignal | undefined): Promise<HeldLock | undefined> {
  const startedMs = performance.now();
  for (let delayMs = DELAY_INCREMENT_MS; ; delayMs = Math.min(delayMs + DELAY_INCREMENT_MS, MAX_DELAY_MS)) {
    if (signal?.aborted === true) return undefined;
    const outcome = attempt();
    const waitedMs = performance.now() - startedMs;
    if (outcome !== 'busy') return held(outcome, waitedMs / 1000);
    // Asked this way round, a timeout that is not a number is none.
    if (!(waitedMs < timeoutMs)) return undefined;
    await interruptibleSleep(Math.min(delayMs, timeoutMs - waitedMs), signal);
  }
}

async function interruptibleSleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

interface HeldFile extends LockFile {
  readonly name: string;
}

function tryAcquire(locksPath: string, name: string): HeldFile | 'busy' {
  const opened = openLockFile(locksPath, name);
  if (opened === 'raced') return 'busy';
  let keep = false;
  try {
    // Nova unlinks lock files: a lock on an inode that its path no longer leads to excludes nobody.
    keep = tryLock(opened.fd) && leadsTo(join(locksPath, name), opened.fd);
    return keep ? { ...opened, name } : 'busy';
  } finally {
    if (!keep) close(opened);
  }
}

/** Whether `path` is a name of the open file. */
function leadsTo(path: string, fd: number): boolean {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return named !== undefined && named.dev === opened.dev && named.ino === opened.ino;
}

function held(file: HeldFile, waitedSeconds: number): HeldLock {
  let released = false;
  return {
    waitedSeconds,
    release({ remove }) {
      // A second call must not close descriptors that belong to somebody else by now.
      if (released) return;
      released = true;
      try {
        if (remove) removeLockFile(file);
      } finally {
        // Not only by closing: a child process may have the descriptor for an instant between fork and exec.
        unlock(file.fd);
        close(file);
      }
    },
  };
}

/** oslo's `remove_external_lock_file`, which only warns about a failure. While the lock is held, so that no other holder loses its file. */
function removeLockFile(file: HeldFile): void {
  const path = entryPath(file.directoryFd, file.name);
  try {
    if (leadsTo(path, file.fd)) unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function close(file: LockFile): void {
  closeSync(file.fd);
  closeSync(file.directoryFd);
}
