import { trashEntryName } from '../model/trash-names.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { Policy } from '../model/policy.ts';
import type { BaseDirectory, BaseFileStat, Clock } from '../model/ports.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { underImageLock } from './under-image-lock.ts';
import type { TrashHolder } from './trash/trash-holder.ts';
import { isUnchanged, objectionIn, recheck, unlinked, type Result } from './recheck.ts';
import { losesLockFile, minimumAgeSeconds } from './refusal.ts';
import type { AnswerFor, Removal } from './removal.ts';
import { intentOf } from './intents.ts';

/** What the removal of one file works with. */
export interface RemovalParts {
  readonly directory: BaseDirectory;
  readonly clock: Clock;
  readonly policy: Policy;
  /** Why it stays although nobody uses it, asked before its lock is taken and again just before it goes. */
  readonly refused: () => Result | undefined;
  /** Where the file goes; undefined: it is unlinked. */
  readonly trash: () => TrashHolder | undefined;
}

/**
 * The removal of one base file (Nova's `_remove_old_enough_file`): everything that the plan was decided from is checked again under its lock.
 */
export function removalOf(parts: RemovalParts, file: PlannedFile, settled: (result: Result) => void): Removal {
  return {
    lockName: file.name,
    removeLockFile: losesLockFile(file.kind, parts.policy),
    askedNames: [file.name],
    refused: parts.refused,
    firstLook: () => recheckNow(parts, file),
    intent: (answerFor) => objectionIn(answerFor(file.name)) ?? intentOf(file, parts.trash() === undefined ? 'unlink' : 'trash'),
    seen: () => parts.directory.stat(file.name),
    settle: (answerFor) => removeUnused(parts, file, answerFor),
    settled,
  };
}

function removeUnused(parts: RemovalParts, file: PlannedFile, answerFor: AnswerFor): Result {
  const refusal = objectionIn(answerFor(file.name)) ?? parts.refused();
  if (refusal !== undefined) return refusal;
  // Once more, and last of all: the answer took its time, and some writers take no lock.
  const removeChecked = (): Result => {
    const trash = parts.trash();
    const discard = trash === undefined ? unlinking(parts, file) : trashing(parts, file, trash);
    const current = parts.directory.stat(file.name);
    if (current === undefined) return { outcome: 'AlreadyGone' };
    return recheckNow(parts, file, current) ?? discard(current);
  };
  return parts.policy.liveUseCheck ? underImageLock(parts.directory, file.name, file.identity, removeChecked) : removeChecked();
}

function recheckNow(
  { directory, clock, policy }: RemovalParts,
  file: PlannedFile,
  current = directory.stat(file.name),
): Result | undefined {
  return recheck({
    planned: file.identity,
    current,
    nowMs: clock.now().wallMs,
    minimumAgeSeconds: minimumAgeSeconds(file, policy),
    minimumAgeFloorSeconds: policy.minimumAgeFloorSeconds,
  });
}

function unlinking({ directory }: RemovalParts, { name }: PlannedFile): (seen: BaseFileStat) => Result {
  return (seen) => {
    try {
      directory.unlink(name);
      return unlinked('removed', seen);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return { outcome: 'AlreadyGone' };
      throw error;
    }
  };
}

/**
 * Opens the trash, which takes its time where there is none yet, and returns the move into it. Anyone who touched the file between
 * the last look and the move finds it again: they take its lock next, which is still ours.
 */
function trashing({ directory, clock }: RemovalParts, { name, identity }: PlannedFile, holder: TrashHolder): () => Result {
  const trash = holder.open({ create: true });
  if (trash === undefined) throw errnoError('ENOENT', 'the trash could not be made');
  return () => {
    const entry = trashEntryName({ name, trashedAtMs: clock.now().wallMs });
    try {
      trash.take(name, entry);
    } catch (error) {
      // ENOENT may also mean that somebody removed the trash.
      if (hasErrno(error, 'ENOENT') && directory.stat(name) === undefined) return { outcome: 'AlreadyGone' };
      throw error;
    }
    const moved = trash.stat(entry);
    const isThePlanned = moved === undefined || isUnchanged(identity, moved);
    if (isThePlanned || trash.giveBack(entry, name) === 'exists') return { outcome: 'trashed' };
    // Nobody else has read its name in the trash: it had it for a moment only.
    trash.unlink(entry);
    return { outcome: 'ChangedSincePlan', message: 'It was used or replaced at the moment when it went to the trash, and is back.' };
  };
}
