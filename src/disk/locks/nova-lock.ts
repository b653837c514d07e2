import { closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from 'fs-native-extensions';
import { errnoError, errnoOf } from '../../lib/errors.ts';
import type { FileLocker, HeldLock, LockBatch } from '../../model/ports.ts';
import { entryPath, LockFiles, openLockDirectory, type LockDirectory, type LockFile } from './lock-file.ts';
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
  const lockName = (fileName: string): string => {
    if (!isEntryName(fileName)) throw errnoError('EINVAL', `'${fileName}' is not a file name`);
    return `${lockFilePrefix}${fileName}`;
  };
  const files = new LockFiles();
  return {
    async acquire(fileName, { timeoutSeconds, signal }) {
      const name = lockName(fileName);
      return await poll(() => tryAlone(files, locksPath, name), timeoutSeconds * 1000, signal);
    },
    batch: () => batchOf(files, locksPath, lockName),
  };
}

/** One descriptor of the lock directory for all locks of a batch: they are released before it is closed. */
function batchOf(files: LockFiles, locksPath: string, lockName: (fileName: string) => string): LockBatch {
  let directory: LockDirectory | undefined;
  return {
    tryLock(fileName) {
      const name = lockName(fileName);
      directory ??= openLockDirectory(locksPath);
      const locked = tryAcquire(files, directory, name);
      return locked === 'busy' ? undefined : held(locked, 0, () => {});
    },
    close() {
      if (directory !== undefined) closeSync(directory.fd);
      directory = undefined;
    },
  };
}

async function poll(attempt: () => LoneLock | 'busy', timeoutMs: number, signal: AbortSignal | undefined): Promise<HeldLock | undefined> {
  const startedMs = performance.now();
  for (let delayMs = DELAY_INCREMENT_MS; ; delayMs = Math.min(delayMs + DELAY_INCREMENT_MS, MAX_DELAY_MS)) {
    if (signal?.aborted === true) return undefined;
    const outcome = attempt();
    const waitedMs = performance.now() - startedMs;
    if (outcome !== 'busy') return held(outcome.locked, waitedMs / 1000, outcome.close);
    // Asked this way round, a timeout that is not a number counts as no timeout.
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

interface LockedFile extends LockFile {
  readonly directory: LockDirectory;
  readonly name: string;
}

/** A lock whose directory was opened for it alone. */
interface LoneLock {
  readonly locked: LockedFile;
  readonly close: () => void;
}

function tryAlone(files: LockFiles, locksPath: string, name: string): LoneLock | 'busy' {
  const directory = openLockDirectory(locksPath);
  const close = () => closeSync(directory.fd);
  let locked: LockedFile | 'busy' = 'busy';
  try {
    locked = tryAcquire(files, directory, name);
    return locked === 'busy' ? locked : { locked, close };
  } finally {
    if (locked === 'busy') close();
  }
}

function tryAcquire(files: LockFiles, directory: LockDirectory, name: string): LockedFile | 'busy' {
  const opened = files.open(directory, name);
  if (opened === 'raced') return 'busy';
  let keep = false;
  try {
    // Nova unlinks lock files: a lock on an inode that its path no longer leads to excludes nobody.
    keep = tryLock(opened.fd) && leadsTo(`${directory.path}/${name}`, opened);
    return keep ? { ...opened, directory, name } : 'busy';
  } finally {
    if (!keep) closeSync(opened.fd);
  }
}

/** Whether `path` is a name of the open file. */
function leadsTo(path: string, { device, inode }: LockFile): boolean {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.dev === device && named.ino === inode;
}

function held(file: LockedFile, waitedSeconds: number, closed: () => void): HeldLock {
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
        // The lock goes with the descriptor, of which no child process has a copy: this program starts none.
        closeSync(file.fd);
        closed();
      }
    },
  };
}

/**
 * oslo's `remove_external_lock_file`, which only warns about a failure. While the lock is held, so that no other holder loses its file.
 * A lock file is empty. One that has bytes is somebody's data, and stays.
 */
function removeLockFile(file: LockedFile): void {
  const path = entryPath(file.directory, file.name);
  try {
    if (leadsTo(path, file) && fstatSync(file.fd).size === 0) unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
