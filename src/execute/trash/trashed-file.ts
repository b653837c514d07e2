import type { Policy } from '../../model/policy.ts';
import type { BaseDirectory, TrashDirectory, UseCheck } from '../../model/ports.ts';
import type { PlannedTrashedFile } from '../../model/plan.ts';
import { hasErrno } from '../../lib/errors.ts';
import { underImageLock } from '../under-image-lock.ts';
import { isSameFile, recheckUse, type Result } from '../recheck.ts';
import { losesLockFile } from '../refusal.ts';
import { askUsers, underLock, type LockParts } from '../under-lock.ts';

/** What dealing with one file in the trash works with. */
export interface TrashedFileParts extends LockParts {
  readonly directory: BaseDirectory;
  readonly trash: TrashDirectory;
  readonly policy: Policy;
  readonly inUse: UseCheck;
}

const THERE_AGAIN = 'The base directory has a file of this name again, which stays.';

/** Puts a file back as a base file, young again, unless there is one. */
export async function restoreTrashedFile(parts: TrashedFileParts, file: PlannedTrashedFile): Promise<Result> {
  return await underLock(parts, {
    name: file.name,
    failure: 'RestoreFailed',
    removeLockFile: false,
    work: () => (file.reason === 'UnfinishedMove' ? finishMove(parts, file) : (recheckEntry(parts, file) ?? putBack(parts, file))),
  });
}

/** Removes a file from the trash for good; puts it back instead where somebody has come to need it. */
export async function emptyTrashedFile(parts: TrashedFileParts, file: PlannedTrashedFile): Promise<Result> {
  return await underLock(parts, {
    name: file.name,
    failure: 'RemovalFailed',
    removeLockFile: losesLockFile(file.kind, parts.policy),
    work: async () => await emptyLocked(parts, file),
  });
}

async function emptyLocked(parts: TrashedFileParts, file: PlannedTrashedFile): Promise<Result> {
  const refusal = recheckEntry(parts, file) ?? recheckGrace(parts, file);
  if (refusal !== undefined) return refusal;
  // By its own name, too: a disk may stand on it where it lies.
  const answerFor = await askUsers(parts, [file.entry, file.name]);
  const own = answerFor(file.entry);
  const objection = 'outcome' in own ? own : recheckUse(own);
  if (objection !== undefined) return objection;
  const empty = () => recheckEntry(parts, file) ?? unlink(parts.trash, file.entry);
  const emptyUnused = () => (parts.policy.liveUseCheck ? underImageLock(parts.trash, file.entry, file.identity, empty) : empty());
  // Whoever names a base file that was fetched again means that one.
  if (parts.directory.stat(file.name) !== undefined) return emptyUnused();
  const users = answerFor(file.name);
  if ('outcome' in users) return users;
  if (users.some(({ kind }) => kind === 'use')) return recheckEntry(parts, file) ?? putBack(parts, file);
  return recheckUse(users) ?? emptyUnused();
}

function recheckEntry({ trash }: TrashedFileParts, { entry, identity }: PlannedTrashedFile): Result | undefined {
  const current = trash.stat(entry);
  if (current === undefined) return { outcome: 'AlreadyGone' };
  if (isSameFile(identity, current) && identity.modifiedAtNs === current.modifiedAtNs) return undefined;
  return { outcome: 'ChangedSincePlan', message: 'Another file has this name now, or it was modified since the plan.' };
}

/** A plan is data that may be old or wrong: the clock has the last word. */
function recheckGrace({ clock }: TrashedFileParts, { reason, graceEndsAt }: PlannedTrashedFile): Result | undefined {
  // Asked this way round, a date that is none has not come.
  if (reason === 'UnderPressure' || clock.now().wallMs >= Date.parse(graceEndsAt)) return undefined;
  return { outcome: 'ChangedSincePlan', message: `Its grace ends at ${graceEndsAt}.` };
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

/**
 * A crash between the two steps of putting it back left its name here; the file itself is where it belongs. Whatever its mtime is by now:
 * a file in use has just been touched by its other name.
 */
function finishMove({ trash, directory }: TrashedFileParts, { entry, name, identity }: PlannedTrashedFile): Result {
  const here = trash.stat(entry);
  if (here === undefined) return { outcome: 'AlreadyGone' };
  const there = directory.stat(name);
  if (there === undefined || !isSameFile(identity, there) || !isSameFile(identity, here))
    return { outcome: 'ChangedSincePlan', message: 'The two names do not lead to one file any more.' };
  trash.unlink(entry);
  return { outcome: 'restored' };
}

function unlink(trash: TrashDirectory, entry: string): Result {
  try {
    trash.unlink(entry);
    return { outcome: 'emptied' };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { outcome: 'AlreadyGone' };
    throw error;
  }
}
