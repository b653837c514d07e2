import { trashEntryName } from '../model/trash-names.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { Policy } from '../model/policy.ts';
import type { BaseDirectory, UseCheck } from '../model/ports.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { underImageLock } from './under-image-lock.ts';
import type { TrashHolder } from './trash/trash-holder.ts';
import { recheck, recheckUse, type Result } from './recheck.ts';
import { losesLockFile, minimumAgeSeconds } from './refusal.ts';
import { askUsers, underLock, type LockParts } from './under-lock.ts';

/** What the removal of one file works with. */
export interface RemovalParts extends LockParts {
  readonly directory: BaseDirectory;
  readonly policy: Policy;
  readonly inUse: UseCheck;
  /** Where the file goes; undefined: it is unlinked. */
  readonly trash: TrashHolder | undefined;
}

/**
 * Removes one base file (Nova's `_remove_old_enough_file`): takes its lock, then checks everything that the plan was decided
 * from again. Trouble with the file is a result; only a mistake in this program is thrown.
 */
export async function removeFile(parts: RemovalParts, file: PlannedFile): Promise<Result> {
  return await underLock(parts, {
    name: file.name,
    failure: 'RemovalFailed',
    removeLockFile: losesLockFile(file.kind, parts.policy),
    work: async () => await removeLocked(parts, file),
  });
}

/** The cheap checks first: asking the sources and reading the overlays costs more than all the others. */
async function removeLocked(parts: RemovalParts, file: PlannedFile): Promise<Result> {
  const refusal = recheckNow(parts, file) ?? (await recheckUsers(parts, file));
  if (refusal !== undefined) return refusal;
  // Once more: the answer took its time, and some writers take no lock.
  const removeChecked = () => recheckNow(parts, file) ?? discard(parts, file.name);
  return parts.policy.liveUseCheck ? underImageLock(parts.directory, file.name, file.identity, removeChecked) : removeChecked();
}

function recheckNow({ directory, clock, policy }: RemovalParts, file: PlannedFile): Result | undefined {
  return recheck({
    planned: file.identity,
    current: directory.stat(file.name),
    nowMs: clock.now().wallMs,
    minimumAgeSeconds: minimumAgeSeconds(file, policy),
    minimumAgeFloorSeconds: policy.minimumAgeFloorSeconds,
  });
}

async function recheckUsers(parts: RemovalParts, file: PlannedFile): Promise<Result | undefined> {
  const answer = (await askUsers(parts, [file.name]))(file.name);
  return 'outcome' in answer ? answer : recheckUse(answer);
}

function discard({ directory, trash, clock }: RemovalParts, name: string): Result {
  try {
    if (trash === undefined) {
      directory.unlink(name);
      return { outcome: 'removed' };
    }
    const opened = trash.open({ create: true });
    if (opened === undefined) throw errnoError('ENOENT', 'the trash could not be made');
    opened.take(name, trashEntryName({ name, trashedAtMs: clock.now().wallMs }));
    return { outcome: 'trashed' };
  } catch (error) {
    // With the trash, ENOENT may also mean that somebody removed that.
    if (hasErrno(error, 'ENOENT') && (trash === undefined || directory.stat(name) === undefined)) return { outcome: 'AlreadyGone' };
    throw error;
  }
}
