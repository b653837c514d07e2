import { errnoOf } from '../lib/errors.ts';
import type { FileLocker } from '../model/ports.ts';

/**
 * Removes the lock file of a base file that is too young to remove, as the end of Nova's `_remove_old_enough_file` does.
 * Unlike Nova, it leaves a lock file that somebody holds: those who wait for it would wait on a file that nobody else sees.
 * Failures are of no consequence (Nova logs them at debug level).
 */
export async function removeLockFile(locker: FileLocker, fileName: string): Promise<void> {
  try {
    const lock = await locker.acquire(fileName, { timeoutSeconds: 0, create: false });
    lock?.release({ remove: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
