import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Plan, PlannedTrashedFile } from '../../model/plan.ts';
import { isRelieved } from '../../model/filesystem.ts';
import type { Policy } from '../../model/policy.ts';
import type { BaseDirectory, Clock, FileLocker, FileOutcome, UseCheck } from '../../model/ports.ts';
import { hasErrno } from '../../lib/errors.ts';
import type { TrashHolder } from './trash-holder.ts';
import type { Result } from '../recheck.ts';
import { refusalOfTrashed } from '../refusal.ts';
import { emptyTrashedFile, restoreTrashedFile } from './trashed-file.ts';
import { failed } from '../under-lock.ts';

/** The part of an execution that is about the trash. */
export interface TrashRun {
  readonly plan: Plan;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly locker: FileLocker;
  readonly inUse: UseCheck;
  readonly signal: AbortSignal | undefined;
  readonly directory: BaseDirectory | Error;
  readonly trash: TrashHolder;
  readonly trashOutcomes: Map<string, FileOutcome>;
  readonly lockWaitSeconds: number[];
}

/** How many rows are looked at between two turns of the event loop. */
const ROWS_PER_TURN = 200;

/** Puts back what is needed again, then empties: what its grace has left first, then what only pressure asks for, oldest first. */
export async function executeTrash(run: TrashRun): Promise<void> {
  const due: PlannedTrashedFile[] = [];
  let looked = 0;
  for (const file of run.plan.trash?.files ?? []) {
    if (looked++ % ROWS_PER_TURN === 0) await nextTurn();
    if (file.verdict === 'restore') await settle(run, file);
    else if (file.verdict === 'empty') due.push(file);
  }
  due.sort((a, b) => pressed(a) - pressed(b) || Date.parse(a.trashedAt) - Date.parse(b.trashedAt));
  for (const file of due) await settle(run, file);
}

function pressed({ reason }: PlannedTrashedFile): number {
  return reason === 'UnderPressure' ? 1 : 0;
}

async function settle(run: TrashRun, file: PlannedTrashedFile): Promise<void> {
  await nextTurn();
  run.trashOutcomes.set(file.entry, { name: file.name, ...(await outcomeOf(run, file)) });
}

async function outcomeOf(run: TrashRun, file: PlannedTrashedFile): Promise<Result> {
  const { directory, signal, lockWaitSeconds } = run;
  const refusal = refusalOfTrashed(file, run.plan.gate);
  if (refusal !== undefined) return { outcome: 'kept', message: refusal };
  if (signal?.aborted === true) return { outcome: 'Abandoned' };
  const failure = file.verdict === 'restore' ? 'RestoreFailed' : 'RemovalFailed';
  if (directory instanceof Error) return hasErrno(directory, 'ENOENT') ? { outcome: 'AlreadyGone' } : failed(directory, failure);
  if (file.reason === 'UnderPressure' && isRelieved(directory.usage(), run.policy.pressure))
    return { outcome: 'kept', message: 'Enough space was freed without it.' };
  try {
    const trash = run.trash.open({ create: false });
    if (trash === undefined) return { outcome: 'AlreadyGone' };
    const parts = { ...run, directory, trash, onLockWait: (seconds: number) => lockWaitSeconds.push(seconds) };
    return await (file.verdict === 'restore' ? restoreTrashedFile(parts, file) : emptyTrashedFile(parts, file));
  } catch (error) {
    return failed(error, failure);
  }
}
