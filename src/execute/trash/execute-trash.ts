import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Plan, PlannedTrashedFile } from '../../model/plan.ts';
import type { Policy } from '../../model/policy.ts';
import type { BaseDirectory, Clock, FileLocker, FileOutcome, UseCheck } from '../../model/ports.ts';
import type { RemovalRecord } from '../../model/ledger/recorder.ts';
import { hasErrno } from '../../lib/errors.ts';
import type { TrashHolder } from './trash-holder.ts';
import { removeInBatches, type BatchParts, type BatchSize } from '../batches.ts';
import type { Result } from '../recheck.ts';
import type { Removal } from '../removal.ts';
import type { UnusedFiles } from '../unused-files.ts';
import { isForSpace } from '../../model/reasons.ts';
import { relief, type SpaceWatch } from '../relief.ts';
import { refusalOfTrashed } from '../refusal.ts';
import { emptyingOf, restoreTrashedFile, unnamingOf, type TrashedFileParts } from './trashed-file.ts';
import { failed } from '../under-lock.ts';

/** The part of an execution that is about the trash. */
export interface TrashRun {
  readonly plan: Plan;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly locker: FileLocker;
  readonly inUse: UseCheck;
  readonly unused: UnusedFiles;
  readonly signal: AbortSignal | undefined;
  readonly directory: BaseDirectory | Error;
  readonly space: SpaceWatch;
  readonly trash: TrashHolder;
  readonly trashOutcomes: Map<string, FileOutcome>;
  readonly lockWaitSeconds: number[];
  readonly batchSize: BatchSize | undefined;
  readonly record: RemovalRecord | undefined;
}

/** How many rows are looked at between two turns of the event loop. */
const ROWS_PER_TURN = 200;

/**
 * Puts back what is needed again and takes its name in the trash away, where no disk uses it by that name. Then empties: what its grace has
 * left first, then what only lack of space asks for, oldest first.
 */
export async function executeTrash(run: TrashRun): Promise<void> {
  const due: PlannedTrashedFile[] = [];
  const back: PlannedTrashedFile[] = [];
  let looked = 0;
  for (const file of run.plan.trash?.files ?? []) {
    if (looked++ % ROWS_PER_TURN === 0) await nextTurn();
    if (file.verdict === 'empty') due.push(file);
    if (file.verdict !== 'restore') continue;
    if (file.reason === 'UnfinishedMove' || (await restore(run, file))) back.push(file);
  }
  if (run.plan.gate.open) await removeInBatches(lockParts(run), unnamings(run, back));
  due.sort((a, b) => pressed(a) - pressed(b) || Date.parse(a.trashedAt) - Date.parse(b.trashedAt));
  await removeInBatches(lockParts(run), emptyings(run, due));
}

function pressed({ reason }: PlannedTrashedFile): number {
  return isForSpace(reason) ? 1 : 0;
}

function* emptyings(run: TrashRun, files: readonly PlannedTrashedFile[]): Generator<Removal, void, void> {
  for (const file of files) {
    const settled = (result: Result) => {
      run.space.settled(result, file);
      run.trashOutcomes.set(file.entry, { name: file.name, ...result });
    };
    const opened = openTrash(run, file);
    if ('outcome' in opened) settled(opened);
    else yield emptyingOf({ ...run, ...opened }, file, { refused: () => relief(run.space, file), settled });
  }
}

/** What was put back in this pass is restored, whether or not its name in the trash is gone as well. */
function* unnamings(run: TrashRun, files: readonly PlannedTrashedFile[]): Generator<Removal, void, void> {
  for (const file of files) {
    const settled = (result: Result): void => {
      if (file.reason === 'UnfinishedMove') run.trashOutcomes.set(file.entry, { name: file.name, ...result });
    };
    const opened = openTrash(run, file);
    if ('outcome' in opened) settled(opened);
    else yield unnamingOf({ ...run, ...opened }, file, { refused: () => undefined, settled });
  }
}

/** Returns whether it is a base file again. */
async function restore(run: TrashRun, file: PlannedTrashedFile): Promise<boolean> {
  await nextTurn();
  const result = await restored(run, file);
  run.trashOutcomes.set(file.entry, { name: file.name, ...result });
  return result.outcome === 'restored';
}

async function restored(run: TrashRun, file: PlannedTrashedFile): Promise<Result> {
  const opened = openTrash(run, file);
  if ('outcome' in opened) return opened;
  try {
    return await restoreTrashedFile({ ...lockParts(run), ...run, ...opened }, file);
  } catch (error) {
    return failed(error, 'RestoreFailed');
  }
}

/** Both directories, or what becomes of the file without them. */
function openTrash(run: TrashRun, file: PlannedTrashedFile): Pick<TrashedFileParts, 'directory' | 'trash'> | Result {
  const { directory, signal } = run;
  const refusal = refusalOfTrashed(file, run.plan.gate);
  if (refusal !== undefined) return { outcome: 'kept', message: refusal };
  if (signal?.aborted === true) return { outcome: 'Abandoned' };
  const failure = file.verdict === 'restore' ? 'RestoreFailed' : 'RemovalFailed';
  if (directory instanceof Error) return hasErrno(directory, 'ENOENT') ? { outcome: 'AlreadyGone' } : failed(directory, failure);
  try {
    const trash = run.trash.open({ create: false });
    return trash === undefined ? { outcome: 'AlreadyGone' } : { directory, trash };
  } catch (error) {
    return failed(error, failure);
  }
}

function lockParts(run: TrashRun): BatchParts {
  return { ...run, onLockWait: (seconds) => run.lockWaitSeconds.push(seconds) };
}
