import type { Policy } from '../../model/policy.ts';
import type { BaseDirectory, BaseFileStat, Clock, TrashDirectory } from '../../model/ports.ts';
import { isForSpace } from '../../model/reasons.ts';
import type { PlannedTrashedFile } from '../../model/plan.ts';
import type { Intent } from '../../model/ledger/records.ts';
import { hasErrno } from '../../lib/errors.ts';
import type { AnswerFor, Removal } from '../removal.ts';
import { underImageLock } from '../under-image-lock.ts';
import { isSameFile, isUnchanged, objectionIn, recheckUse, unlinked, type Result } from '../recheck.ts';
import { losesLockFile } from '../refusal.ts';
import { intentOfTrashed } from '../intents.ts';
import { underLock, type LockParts } from '../under-lock.ts';

/** What dealing with one file in the trash works with. */
export interface TrashedFileParts {
  readonly directory: BaseDirectory;
  readonly trash: TrashDirectory;
  readonly clock: Clock;
  readonly policy: Policy;
}

const THERE_AGAIN = 'The base directory has a file of this name again, which stays.';

/** Puts a file back as a base file, young again, unless there is one. It keeps its name in the trash, which `unnamingOf` removes. */
export async function restoreTrashedFile(parts: TrashedFileParts & LockParts, file: PlannedTrashedFile): Promise<Result> {
  return await underLock(parts, {
    name: file.name,
    failure: 'RestoreFailed',
    removeLockFile: false,
    work: () => recheckEntry(parts, file) ?? putBack(parts, file),
  });
}

/** The removal of the name in the trash of a file that is a base file again. It stays while a disk uses the file by that name. */
export function unnamingOf(parts: TrashedFileParts, file: PlannedTrashedFile, rest: Pick<Removal, 'refused' | 'settled'>): Removal {
  return {
    lockName: file.name,
    removeLockFile: false,
    askedNames: [file.entry],
    firstLook: () => undefined,
    intent: (answerFor) => objectionIn(answerFor(file.entry)) ?? intentOfTrashed(file, 'restore'),
    seen: () => parts.trash.stat(file.entry),
    settle: (answerFor) => objectionIn(answerFor(file.entry)) ?? finishMove(parts, file),
    ...rest,
  };
}

/** The removal of a file from the trash for good; it is put back instead where somebody has come to need it. */
export function emptyingOf(parts: TrashedFileParts, file: PlannedTrashedFile, rest: Pick<Removal, 'refused' | 'settled'>): Removal {
  return {
    lockName: file.name,
    removeLockFile: losesLockFile(file.kind, parts.policy),
    // By its own name as well: a disk may use it where it lies.
    askedNames: [file.entry, file.name],
    firstLook: () => recheckEntry(parts, file) ?? recheckGrace(parts, file),
    intent: (answerFor) => intentToEmpty(parts, file, answerFor),
    seen: () => parts.trash.stat(file.entry),
    settle: (answerFor) => rest.refused() ?? emptyUnused(parts, file, answerFor),
    ...rest,
  };
}

/** What becomes of it by the evidence. */
function intentToEmpty({ directory }: TrashedFileParts, file: PlannedTrashedFile, answerFor: AnswerFor): Intent | Result {
  const objection = objectionIn(answerFor(file.entry));
  if (objection !== undefined) return objection;
  // Anyone who names a base file that was fetched again means that one.
  if (directory.stat(file.name) !== undefined) return intentOfTrashed(file, 'empty');
  const users = answerFor(file.name);
  if ('outcome' in users) return users;
  if (users.some(({ kind }) => kind === 'use')) return intentOfTrashed(file, 'restore');
  return recheckUse(users) ?? intentOfTrashed(file, 'empty');
}

function emptyUnused(parts: TrashedFileParts, file: PlannedTrashedFile, answerFor: AnswerFor): Result {
  const intent = intentToEmpty(parts, file, answerFor);
  if ('outcome' in intent) return intent;
  if (intent.action === 'restore') return recheckEntry(parts, file) ?? moveBack(parts, file);
  const emptyNow = (): Result => {
    const current = parts.trash.stat(file.entry);
    if (current === undefined) return { outcome: 'AlreadyGone' };
    return recheckEntry(parts, file, current) ?? unlink(parts.trash, file.entry, current);
  };
  return parts.policy.liveUseCheck ? underImageLock(parts.trash, file.entry, file.identity, emptyNow) : emptyNow();
}

function recheckEntry(
  { trash }: TrashedFileParts,
  { entry, identity }: PlannedTrashedFile,
  current = trash.stat(entry),
): Result | undefined {
  if (current === undefined) return { outcome: 'AlreadyGone' };
  if (isUnchanged(identity, current)) return undefined;
  return { outcome: 'ChangedSincePlan', message: 'Another file has this name now, or it was modified since the plan.' };
}

/** A plan is data that may be old or wrong: the clock has the last word. */
function recheckGrace({ clock }: TrashedFileParts, { reason, graceEndsAt }: PlannedTrashedFile): Result | undefined {
  // Asked this way round, an invalid date has not come.
  if (isForSpace(reason) || clock.now().wallMs >= Date.parse(graceEndsAt)) return undefined;
  return { outcome: 'ChangedSincePlan', message: `Its grace ends at ${graceEndsAt}.` };
}

/** Nobody uses it by its name in the trash. */
function moveBack(parts: TrashedFileParts, file: PlannedTrashedFile): Result {
  const result = putBack(parts, file);
  if (result.outcome === 'restored') parts.trash.unlink(file.entry);
  return result;
}

/** Touched before it appears: nobody may see it old. */
export function putBack(
  { trash, directory, clock }: Pick<TrashedFileParts, 'trash' | 'directory' | 'clock'>,
  { entry, name }: { entry: string; name: string },
): Result {
  if (directory.stat(name) !== undefined) return { outcome: 'kept', message: THERE_AGAIN };
  trash.touch(entry, clock.now().wallMs);
  return trash.giveBack(entry, name) === 'done' ? { outcome: 'restored' } : { outcome: 'kept', message: THERE_AGAIN };
}

/** Whatever its mtime is by now: a file in use has just been touched by its other name. */
function finishMove({ trash, directory }: TrashedFileParts, { entry, name, identity }: PlannedTrashedFile): Result {
  const here = trash.stat(entry);
  if (here === undefined) return { outcome: 'AlreadyGone' };
  const there = directory.stat(name);
  if (there === undefined || !isSameFile(identity, there) || !isSameFile(identity, here))
    return { outcome: 'ChangedSincePlan', message: 'The two names do not lead to one file any more.' };
  trash.unlink(entry);
  return { outcome: 'restored' };
}

function unlink(trash: TrashDirectory, entry: string, seen: BaseFileStat): Result {
  try {
    trash.unlink(entry);
    return unlinked('emptied', seen);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { outcome: 'AlreadyGone' };
    throw error;
  }
}
