import { errnoOf, ownMessageOf } from '../lib/errors.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { BaseDirectory, Clock } from '../model/ports.ts';
import { isSameFile, type Result } from './recheck.ts';

/**
 * Sets the mtime of one file that is in use to now (Nova's `_mark_in_use`). Only its identity is compared: a newer mtime is
 * no obstacle, others touch it as well. A failure changes nothing about its being in use; NFS may answer EACCES.
 */
export function touchFile(directory: BaseDirectory, clock: Clock, file: PlannedFile): Result {
  try {
    const current = directory.stat(file.name);
    if (current === undefined) return { outcome: 'AlreadyGone' };
    if (!isSameFile(file.identity, current)) return { outcome: 'ChangedSincePlan', message: 'Another file has this name now.' };
    directory.touch(file.name, clock.now().wallMs);
    return { outcome: 'touched' };
  } catch (error) {
    if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
    if (errnoOf(error) === 'ENOENT') return { outcome: 'AlreadyGone' };
    return { outcome: 'TouchFailed', message: ownMessageOf(error) };
  }
}
