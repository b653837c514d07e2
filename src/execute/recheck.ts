import type { BaseFileStat, FileOutcome, Objection } from '../model/ports.ts';
import type { FileIdentity } from '../model/plan.ts';

/** A base file may have thousands of users; the message is for people. */
const MAX_REASONS_SHOWN = 3;

/** What became of a file, without its name. */
export type Result = Omit<FileOutcome, 'name'>;

/** Everything that decides whether a planned removal still stands. */
export interface RecheckInput {
  readonly planned: FileIdentity;
  /** The file now; undefined when it is gone. */
  readonly current: BaseFileStat | undefined;
  readonly nowMs: number;
  /** The age that the plan asked of the file. */
  readonly minimumAgeSeconds: number;
  /** No removal below this age, whatever the plan says. */
  readonly minimumAgeFloorSeconds: number;
}

/** Whether two readings are the same file, whatever its mtime. */
export function isSameFile(planned: FileIdentity, current: BaseFileStat): boolean {
  return current.regular && planned.device === current.device && planned.inode === current.inode;
}

/**
 * Why a file must not be removed after all, or undefined when nothing changed since the plan (Nova's second
 * `_get_age_of_file`, under the lock). An mtime that moved at all, backwards too, means that somebody wrote to the file or
 * used it: the next pass decides again.
 */
export function recheck(input: RecheckInput): Result | undefined {
  const { planned, current } = input;
  if (current === undefined) return { outcome: 'AlreadyGone' };
  if (!isSameFile(planned, current)) return { outcome: 'ChangedSincePlan', message: 'Another file has this name now.' };
  if (current.modifiedAtNs !== planned.modifiedAtNs) {
    return { outcome: 'ChangedSincePlan', message: 'It was modified or used since the plan.' };
  }
  const ageSeconds = (input.nowMs - current.modifiedAtMs) / 1000;
  const minimumSeconds = Math.max(input.minimumAgeSeconds, input.minimumAgeFloorSeconds);
  // Asked this way round, an age that is not a number is too young.
  if (ageSeconds >= minimumSeconds) return undefined;
  return { outcome: 'ChangedSincePlan', message: `It is ${Math.floor(ageSeconds)} s old; the minimum age is ${minimumSeconds} s.` };
}

/** What became of a file whose name went, by a look at it before that. */
export function unlinked(outcome: 'removed' | 'emptied', { links }: Pick<BaseFileStat, 'links'>): Result {
  return links > 1 ? { outcome, freedNothing: true, message: 'It has another name, so nothing was freed.' } : { outcome };
}

/** Whether two readings are the same file, with the same mtime. */
export function isUnchanged(planned: FileIdentity, current: BaseFileStat): boolean {
  return isSameFile(planned, current) && planned.modifiedAtNs === current.modifiedAtNs;
}

/** Why a file must stay by the answer about it: there is none, or it names a reason. */
export function objectionIn(answer: readonly Objection[] | Result): Result | undefined {
  return 'outcome' in answer ? answer : recheckUse(answer);
}

/** Why a file must stay now that sources and overlays were asked again, or undefined when they name no reason. */
export function recheckUse(reasons: readonly Objection[]): Result | undefined {
  if (reasons.length === 0) return undefined;
  const shown = reasons
    .slice(0, MAX_REASONS_SHOWN)
    .map(({ message }) => message)
    .join('; ');
  const hidden = reasons.length - MAX_REASONS_SHOWN;
  return { outcome: 'ChangedSincePlan', message: hidden > 0 ? `${shown}; and ${hidden} more` : shown };
}
