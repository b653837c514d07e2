import { errnoOf, messageOf, ownMessageOf } from '../lib/errors.ts';
import { orAborted } from '../lib/or-aborted.ts';
import type { Policy } from '../model/policy.ts';
import type { Clock, FileLocker, HeldLock, UseCheck } from '../model/ports.ts';
import type { Outcome } from '../model/reasons.ts';
import type { Result } from './recheck.ts';
import type { AnswerFor } from './removal.ts';
import type { UnusedFiles } from './unused-files.ts';

/** What a change under a file's lock works with. */
export interface LockParts {
  readonly locker: FileLocker;
  readonly clock: Clock;
  readonly policy: Pick<Policy, 'lockTimeoutSeconds'>;
  readonly signal: AbortSignal | undefined;
  /** Receives how long each lock was waited for, whether it was taken or not. */
  readonly onLockWait: (seconds: number) => void;
}

export interface LockedWork {
  /** Of the base file: its Nova lock. */
  readonly name: string;
  /** What problem with the file comes to. */
  readonly failure: Outcome;
  readonly removeLockFile: boolean;
  readonly work: () => Result | Promise<Result>;
}

/** Runs `work` while the base file's Nova lock is held. Problem with the file is a result; only a mistake in this program is thrown. */
export async function underLock(parts: LockParts, { name, failure, removeLockFile, work }: LockedWork): Promise<Result> {
  let lock: HeldLock | undefined;
  try {
    lock = await takeLock(parts, name);
  } catch (error) {
    return failed(error, failure);
  }
  if (lock === undefined) {
    if (parts.signal?.aborted === true) return { outcome: 'Abandoned' };
    return { outcome: 'LockBusy', message: `Its lock was held by somebody else for ${parts.policy.lockTimeoutSeconds} s.` };
  }
  try {
    return await work();
  } catch (error) {
    return failed(error, failure);
  } finally {
    lock.release({ remove: removeLockFile });
  }
}

async function takeLock(parts: LockParts, name: string): Promise<HeldLock | undefined> {
  const startedMs = parts.clock.now().monotonicMs;
  const lock = await parts.locker.acquire(name, { timeoutSeconds: parts.policy.lockTimeoutSeconds, signal: parts.signal });
  parts.onLockWait(lock?.waitedSeconds ?? (parts.clock.now().monotonicMs - startedMs) / 1000);
  return lock;
}

/** What `look` says; problem with the file is a result. */
export function attempt<T>(look: () => T, failure: Outcome = 'RemovalFailed'): T | Result {
  try {
    return look();
  } catch (error) {
    return failed(error, failure);
  }
}

export function failed(error: unknown, outcome: Outcome): Result {
  if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
  return { outcome, message: ownMessageOf(error) };
}

/**
 * What sources and overlays say now of each of the files. An abort answers for a check that does not; whatever makes it fail, no answer
 * means in use.
 */
export async function askUsers(
  { inUse, signal, unused }: { readonly inUse: UseCheck; readonly signal: AbortSignal | undefined; readonly unused: UnusedFiles },
  names: readonly string[],
): Promise<AnswerFor> {
  try {
    const answers = await orAborted(inUse(names, signal, unused.names), signal);
    if (answers === 'aborted') return () => ({ outcome: 'Abandoned' });
    return (name) => answers.get(name) ?? noAnswer('it was not among the answers');
  } catch (error) {
    if (signal?.aborted === true) return () => ({ outcome: 'Abandoned' });
    return () => noAnswer(messageOf(error));
  }
}

function noAnswer(why: string): Result {
  return { outcome: 'RemovalFailed', message: `Could not check who is using it now: ${why}` };
}
