import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf, hasErrno, ownMessageOf } from '../lib/errors.ts';
import type { Plan, PlannedFile } from '../model/plan.ts';
import { isForSpace } from '../model/reasons.ts';
import type { Policy } from '../model/policy.ts';
import type { BaseDirectory, BaseDirectoryOpener, Clock, Executor, FileLocker, FileOutcome } from '../model/ports.ts';
import { executeTrash } from './trash/execute-trash.ts';
import { holdTrash, type TrashHolder } from './trash/trash-holder.ts';
import type { Result } from './recheck.ts';
import { refusalOf } from './refusal.ts';
import type { Removal } from './removal.ts';
import { relief, SpaceWatch, type SpaceParts } from './relief.ts';
import { removalOf } from './remove-file.ts';
import { removeInBatches, type BatchParts, type BatchSize } from './batches.ts';
import { touchFile } from './touch-file.ts';
import { UnusedFiles } from './unused-files.ts';

/** How many rows are looked at between two turns of the event loop, where health checks are answered. */
const ROWS_PER_TURN = 200;

export interface ExecutorParts {
  readonly locker: FileLocker;
  readonly directories: BaseDirectoryOpener;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly batchSize?: BatchSize | undefined;
}

/** One execution of one plan. */
interface Run extends BatchParts {
  readonly policy: Policy;
  readonly plan: Plan;
  /** Or why it cannot be opened. */
  readonly directory: BaseDirectory | Error;
  readonly space: SpaceWatch;
  readonly trash: TrashHolder;
  readonly trashOutcomes: Map<string, FileOutcome>;
  readonly outcomes: Map<string, FileOutcome>;
  readonly lockWaitSeconds: number[];
}

/**
 * Carries out plans: first touches and what comes back from the trash, because they protect; then what goes from the trash,
 * because it frees; then removals in the plan's order. A row whose verdict is `keep` is not looked at on disk. After `signal` aborts, the file in hand is finished (or abandoned, if it is still waited for)
 * and the rest is `Abandoned`.
 */
export function createExecutor(parts: ExecutorParts): Executor {
  return {
    async execute(plan, inUse, { signal, record: ledger } = {}) {
      const directory = openDirectory(parts.directories, plan.basePath);
      const run: Run = {
        ...parts,
        ...newRun(directory, { policy: parts.policy, plan }),
        plan,
        inUse,
        signal,
        directory,
        batchSize: parts.batchSize,
        record: ledger,
      };
      try {
        const { removals, pressed } = await touchAll(run);
        await executeTrash(run);
        await removeInBatches(run, removalsOf(run, [...removals, ...oldestFirst(pressed)]));
      } finally {
        run.trash.close();
        if (!(directory instanceof Error)) directory.close();
      }
      return { outcomes: run.outcomes, trash: run.trashOutcomes, lockWaitSeconds: run.lockWaitSeconds };
    },
  };
}

function newRun(directory: BaseDirectory | Error, asked: Pick<SpaceParts, 'policy' | 'plan'>) {
  const lockWaitSeconds: number[] = [];
  const trash = directory instanceof Error ? { open: () => undefined, close: () => {} } : holdTrash(directory);
  // Nothing is removed where there is no directory, and nobody asks.
  const usage = () => (directory instanceof Error ? { sizeBytes: 0, availableBytes: 0 } : directory.usage());
  return {
    space: new SpaceWatch({ ...asked, usage }),
    trash,
    outcomes: new Map<string, FileOutcome>(),
    unused: new UnusedFiles(),
    trashOutcomes: new Map<string, FileOutcome>(),
    lockWaitSeconds,
    onLockWait: (seconds: number) => lockWaitSeconds.push(seconds),
  };
}

function openDirectory(directories: BaseDirectoryOpener, basePath: string): BaseDirectory | Error {
  try {
    return directories.open(basePath);
  } catch (error) {
    if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
    return error;
  }
}

/** One walk over all rows, which may be a million; what is to be done after the touches is remembered by its index. */
async function touchAll(run: Run): Promise<{ removals: number[]; pressed: Pressed[] }> {
  const removals: number[] = [];
  const pressed: Pressed[] = [];
  let index = 0;
  for (const file of run.plan.files) {
    if (index % ROWS_PER_TURN === 0) await nextTurn();
    if (file.verdict === 'touch') {
      await nextTurn();
      record(run, file, touched(run, file));
    }
    if (file.verdict === 'remove' && isForSpace(file.reason)) pressed.push({ index, modifiedAtNs: BigInt(file.identity.modifiedAtNs) });
    else if (file.verdict === 'remove') removals.push(index);
    noteUnused(run, file);
    index++;
  }
  return { removals, pressed };
}

function noteUnused({ plan, unused }: Run, file: PlannedFile): void {
  if (file.verdict === 'remove' && refusalOf(file, plan.gate) === undefined) unused.addGoing(file.name);
  if (file.reason === 'RemovalLimitReached') unused.addWaiting(file.name);
}

/** A removal that only lack of space asks for. */
interface Pressed {
  readonly index: number;
  readonly modifiedAtNs: bigint;
}

function oldestFirst(pressed: readonly Pressed[]): number[] {
  return pressed.toSorted((a, b) => (a.modifiedAtNs < b.modifiedAtNs ? -1 : 1)).map(({ index }) => index);
}

function record(run: Run, file: PlannedFile, result: Result): void {
  const { name } = file;
  if (file.verdict === 'remove') run.space.settled(result, file);
  // What stays after all is looked at again like any other file.
  run.unused.delete(name);
  run.outcomes.set(name, { name, ...result });
}

function touched(run: Run, file: PlannedFile): Result {
  const refusal = refusalOf(file, run.plan.gate);
  if (refusal !== undefined) return { outcome: 'kept', message: refusal };
  if (run.signal?.aborted === true) return { outcome: 'Abandoned' };
  return run.directory instanceof Error ? unreachable(run.directory, file) : touchFile(run.directory, run.clock, file);
}

function* removalsOf(run: Run, indices: readonly number[]): Generator<Removal, void, void> {
  const { directory } = run;
  for (const index of indices) {
    const file = run.plan.files.at(index);
    if (file === undefined) continue;
    const refusal = refusalOf(file, run.plan.gate);
    if (refusal !== undefined) record(run, file, { outcome: 'kept', message: refusal });
    else if (run.signal?.aborted === true) record(run, file, { outcome: 'Abandoned' });
    else if (directory instanceof Error) record(run, file, unreachable(directory, file));
    else {
      const trash = () => (goesToTrash(run, file) ? run.trash : undefined);
      const parts = { ...run, directory, refused: () => relief(run.space, file), trash };
      yield removalOf(parts, file, (result) => record(run, file, result));
    }
  }
}

/** A file in the trash frees nothing: while space is short, removals are for good. */
function goesToTrash({ policy, space }: Run, { reason }: PlannedFile): boolean {
  return policy.trash.enabled && !isForSpace(reason) && !space.isShort(reason);
}

/** The base directory is gone, or something that we refuse took its place. */
function unreachable(error: Error, file: PlannedFile): Result {
  if (hasErrno(error, 'ENOENT')) return { outcome: 'AlreadyGone', message: 'The base directory is gone.' };
  return { outcome: file.verdict === 'touch' ? 'TouchFailed' : 'RemovalFailed', message: ownMessageOf(error) };
}
