import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock, unlock } from 'fs-native-extensions';

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const POLL_MS = 5;

/** Locks among our own processes: each number is a byte of a file that may be empty. They end with the process, however it ends. */
export interface OwnLocks {
  /** Whether it was had now: false while another process holds it. */
  tryTake(number: number): boolean;
  /** As `tryTake`, for as long as `waitMs`. */
  take(number: number, waitMs: number): Promise<boolean>;
  release(number: number): void;
  close(): void;
}

/** Throws an errno error. */
export function openOwnLocks(path: string): OwnLocks {
  const fd = openSync(path, FLAGS, 0o600);
  const tryTake = (number: number): boolean => tryLock(fd, number, 1);
  return {
    tryTake,
    async take(number, waitMs) {
      const startedMs = performance.now();
      while (!tryTake(number)) {
        if (performance.now() - startedMs >= waitMs) return false;
        await sleep(POLL_MS);
      }
      return true;
    },
    release: (number) => unlock(fd, number, 1),
    close: () => closeSync(fd),
  };
}
