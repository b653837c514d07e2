import { errnoOf, messageOf, ownMessageOf } from '../lib/errors.ts';
import type { PlannedFile } from '../model/plan.ts';
import type { Policy } from '../model/policy.ts';
import type { BaseDirectory, Clock, FileLocker, HeldLock, UseCheck } from '../model/ports.ts';
import { hasErrno } from './errno.ts';
import { recheck, recheckUse, type Result } from './recheck.ts';
import { losesLockFile, minimumAgeSeconds } from './refusal.ts';

/** What the removal of one file works with. */
export interface RemovalParts {
  readonly locker: FileLocker;
  readonly directory: BaseDirectory;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly inUse: UseCheck;
  readonly signal: AbortSignal | undefined;
  /** Told how long each lock was waited for, in vain or not. */
  readonly onLockWait: (seconds: number) => void;
}

/**
 * Removes one base file (Nova's `_remove_old_enough_file`): takes its lock, then checks everything that the plan was decided
 * from again. Trouble with the file is a result; only a mistake in this program is thrown.
 */
export async function removeFile(parts: RemovalParts, file: PlannedFile): Promise<Result> {
  let lock: HeldLock | undefined;
  try {
    lock = await takeLock(parts, file);
  } catch (error) {
    return removalFailed(error);
  }
  if (lock === undefined) {
    if (parts.signal?.aborted === true) return { outcome: 'Abandoned' };
    return { outcome: 'LockBusy', message: `Its lock was held by somebody else for ${parts.policy.lockTimeoutSeconds} s.` };
  }
  try {
    return await removeLocked(parts, file);
  } catch (error) {
    return removalFailed(error);
  } finally {
    lock.release({ remove: losesLockFile(file.kind, parts.policy) });
  }
}

async function takeLock(parts: RemovalParts, file: PlannedFile): Promise<HeldLock | undefined> {
  const startedMs = parts.clock.now().monotonicMs;
  const lock = await parts.locker.acquire(file.name, { timeoutSeconds: parts.policy.lockTimeoutSeconds, signal: parts.signal });
  parts.onLockWait(lock?.waitedSeconds ?? (parts.clock.now().monotonicMs - startedMs) / 1000);
  return lock;
}

/** The cheap checks first: asking the sources and reading the overlays costs more than all the others. */
async function removeLocked(parts: RemovalParts, file: PlannedFile): Promise<Result> {
  const refusal = recheckNow(parts, file) ?? (await recheckUsers(parts, file));
  if (refusal !== undefined) return refusal;
  // Once more: the answer took its time, and some writers take no lock.
  const unlinkChecked = () => recheckNow(parts, file) ?? unlink(parts.directory, file.name);
  return parts.policy.liveUseCheck ? withImageLock(parts.directory, file, unlinkChecked) : unlinkChecked();
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

/** An abort answers for a check that does not; whatever makes the check fail, no answer means in use. */
async function recheckUsers({ inUse, signal }: RemovalParts, file: PlannedFile): Promise<Result | undefined> {
  const abort = Promise.withResolvers<'aborted'>();
  const onAbort = () => abort.resolve('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = await Promise.race([inUse(file.name, signal), abort.promise]);
    return answer === 'aborted' ? { outcome: 'Abandoned' } : recheckUse(answer);
  } catch (error) {
    if (signal?.aborted === true) return { outcome: 'Abandoned' };
    return { outcome: 'RemovalFailed', message: `Who uses it now could not be told: ${messageOf(error)}` };
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** What an answer of `BaseDirectory.withImageLock` means where nothing was run. */
const NOT_RUN: Readonly<Record<Exclude<ReturnType<BaseDirectory['withImageLock']>, 'done'>, Result>> = {
  busy: { outcome: 'InUseByQemu', message: 'A running QEMU (or qemu-img, qemu-io, qemu-nbd) has it open.' },
  changed: { outcome: 'ChangedSincePlan', message: 'Another file has this name now.' },
  gone: { outcome: 'AlreadyGone' },
};

function withImageLock(directory: BaseDirectory, file: PlannedFile, act: () => Result): Result {
  let result: Result | undefined;
  const answer = directory.withImageLock(file.name, file.identity, () => {
    result = act();
  });
  if (answer !== 'done') return NOT_RUN[answer];
  return result ?? { outcome: 'RemovalFailed', message: 'The image lock was reported as held, but nothing was run under it.' };
}

function unlink(directory: BaseDirectory, name: string): Result {
  try {
    directory.unlink(name);
    return { outcome: 'removed' };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { outcome: 'AlreadyGone' };
    throw error;
  }
}

function removalFailed(error: unknown): Result {
  if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
  return { outcome: 'RemovalFailed', message: ownMessageOf(error) };
}
