import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeldLock, LockBatch, UseCheck } from '../model/ports.ts';
import type { RemovalRecord } from '../model/ledger/recorder.ts';
import type { Result } from './recheck.ts';
import { permissions, type Permission } from './recording.ts';
import type { AnswerFor, Removal } from './removal.ts';
import type { UnusedFiles } from './unused-files.ts';
import { askUsers, attempt, failed, underLock, type LockParts } from './under-lock.ts';

/** How many files a batch has. */
export interface BatchSize {
  readonly smallest: number;
  readonly largest: number;
  /** Of the first batch. Default: the smallest. */
  readonly first?: number | undefined;
}

/** One descriptor for each file, and some for the evidence, stay far below the usual limit of 1,024. */
export const BATCH_SIZE: BatchSize = { smallest: 64, largest: 256 };

/** What a local disk does in the time for taking locks. */
const FIRST = 1024;

/** Where more files may be open, more removals may share one reading. What they may share it for is bounded by the time. */
export function batchSizeFor(openFilesLimit: number): BatchSize {
  const largest = Math.min(4096, Math.max(BATCH_SIZE.largest, Math.floor(openFilesLimit / 4)));
  return { ...BATCH_SIZE, largest, first: Math.min(FIRST, largest) };
}

/** How long a batch may hold its locks: what it has begun by then ends within 250 ms. */
const HELD_MS = 240;
/**
 * How long a batch goes on taking locks at least, and how long removing: where one reading takes long, one reading for each removal would take
 * longest. More where these and the reading take too long anyway: fewer removals would hold locks hardly less long.
 */
const LEAST_MS = 25;
const LEAST_BESIDE_SLOW_MS = 50;
/** For the locks of the first batch, before it is known how long a reading takes. */
const FIRST_TAKING_MS = 40;

/** What the removals of a batch are to take, as a multiple of what its reading takes. */
const READINGS_WORTH = 8;

export interface BatchParts extends LockParts {
  readonly inUse: UseCheck;
  readonly unused: UnusedFiles;
  readonly batchSize: BatchSize | undefined;
  /** Where each removal is recorded before it happens. Undefined: nowhere. */
  readonly record: RemovalRecord | undefined;
}

interface Held {
  readonly removal: Removal;
  readonly lock: HeldLock;
}

/**
 * Removes files in batches: tries their locks and never waits while one is held, asks once for all of them after the last lock was had,
 * records what is to go, then looks at each again and removes it. What it says of one file under its lock holds for each: its evidence is younger than its lock. Files
 * whose locks are busy come last, one by one, with the bounded wait.
 */
export async function removeInBatches(parts: BatchParts, removals: Iterable<Removal>): Promise<void> {
  const queue = new Queue(removals);
  const busy: Removal[] = [];
  const { smallest, largest, first = smallest } = parts.batchSize ?? BATCH_SIZE;
  let size = first;
  let takingMs = FIRST_TAKING_MS;
  while (!queue.empty) {
    await nextTurn();
    const took = await oneBatch(parts, queue, { size, takingMs }, busy);
    if (took === undefined) continue;
    // Where the time did not suffice for all, the next batch has only as many as it suffices for.
    const atLeast = took.settled < took.files ? smallest : size;
    size = Math.min(Math.max(atLeast, sharing(took)), largest);
    // Half of the time that the evidence leaves is for the locks.
    takingMs = Math.max(leastMs(took), (HELD_MS - took.evidenceMs) / 2);
  }
  for (const removal of busy) {
    await nextTurn();
    await removeAlone(parts, removal);
  }
}

/**
 * How many removals make a reading a small part of the whole, by what a batch took, where a lock may be held for that long. A reading that takes
 * longer by itself is shared by what the least times suffice for: fewer would hold locks hardly less long, and for many more readings.
 */
function sharing({ settled, evidenceMs, restMs }: BatchTimes): number {
  const wantedMs = Math.min(evidenceMs * READINGS_WORTH, Math.max(HELD_MS - evidenceMs, 2 * leastMs({ evidenceMs })));
  return wantedMs === 0 ? 0 : Math.floor(wantedMs / (restMs / settled));
}

function leastMs({ evidenceMs }: Pick<BatchTimes, 'evidenceMs'>): number {
  return evidenceMs + 2 * LEAST_MS <= HELD_MS ? LEAST_MS : LEAST_BESIDE_SLOW_MS;
}

interface BatchLimits {
  readonly size: number;
  readonly takingMs: number;
}

/** How long a batch took. */
interface BatchTimes {
  readonly files: number;
  /** Of these, those that the time sufficed for. */
  readonly settled: number;
  readonly evidenceMs: number;
  readonly restMs: number;
}

/** Undefined where no lock was had. */
async function oneBatch(parts: BatchParts, queue: Queue, limits: BatchLimits, busy: Removal[]): Promise<BatchTimes | undefined> {
  const beganMs = parts.clock.now().monotonicMs;
  const locks = parts.locker.batch();
  const held: Held[] = [];
  try {
    takeLocks(parts, { queue, size: limits.size, busy, locks, held, untilMs: beganMs + limits.takingMs });
    if (held.length === 0) return undefined;
    const askedMs = parts.clock.now().monotonicMs;
    const answerFor = await askUsers(
      parts,
      held.flatMap(({ removal }) => removal.askedNames),
    );
    const permissionOf = await permissions(
      parts.record,
      held.map(({ removal }) => removal),
      answerFor,
    );
    // One record serves a whole batch, as one reading does: what it takes counts as a part of that.
    const readyMs = parts.clock.now().monotonicMs;
    const evidenceMs = readyMs - askedMs;
    const untilMs = Math.max(beganMs + HELD_MS, readyMs + leastMs({ evidenceMs }));
    const settled = settleAll(parts, queue, { held, answerFor, permissionOf, untilMs });
    return { files: held.length, settled, evidenceMs, restMs: parts.clock.now().monotonicMs - beganMs - evidenceMs };
  } finally {
    for (const { lock } of held) lock.release({ remove: false });
    locks.close();
  }
}

interface Taking {
  readonly queue: Queue;
  readonly size: number;
  readonly busy: Removal[];
  readonly locks: LockBatch;
  readonly held: Held[];
  readonly untilMs: number;
}

function takeLocks(parts: BatchParts, taking: Taking): void {
  for (let taken = 0; taken < taking.size;) {
    const removal = taking.queue.next();
    if (removal === undefined) return;
    const refusal = stopped(parts) ?? attempt(removal.refused);
    if (refusal !== undefined) removal.settled(refusal);
    else {
      taken++;
      takeLock(parts, taking, removal);
    }
    if (parts.clock.now().monotonicMs >= taking.untilMs) return;
  }
}

function takeLock(parts: BatchParts, { locks, held, busy }: Taking, removal: Removal): void {
  const lock = tryLock(locks, removal.lockName);
  if (lock === undefined) {
    busy.push(removal);
    return;
  }
  parts.onLockWait(lock.waitedSeconds);
  const entry = { removal, lock };
  // Before the look: whatever happens then, the lock is released.
  held.push(entry);
  const stays = attempt(removal.firstLook);
  if (stays === undefined) return;
  held.pop();
  finish(entry, stays);
}

/** Undefined also where it cannot be had at all: alone, the file's outcome says why. */
function tryLock(locks: LockBatch, name: string): HeldLock | undefined {
  try {
    return locks.tryLock(name);
  } catch (error) {
    failed(error, 'RemovalFailed');
    return undefined;
  }
}

interface Settling {
  readonly held: Held[];
  readonly answerFor: AnswerFor;
  readonly permissionOf: (removal: Removal) => Permission;
  readonly untilMs: number;
}

/**
 * Each lock is released as soon as its file is dealt with. What the time does not suffice for comes back with the next batch. Returns for
 * how many it sufficed.
 */
function settleAll(parts: BatchParts, queue: Queue, { held, answerFor, permissionOf, untilMs }: Settling): number {
  const late: Removal[] = [];
  for (const [index, entry] of held.entries()) {
    const permission = permissionOf(entry.removal);
    if (permission.is === 'refused') finish(entry, permission.result);
    else if (permission.is === 'late' || (index > 0 && parts.clock.now().monotonicMs >= untilMs)) {
      late.push(entry.removal);
      if (permission.is === 'given') permission.done('PutBack');
    } else finish(entry, settle(parts, entry.removal, answerFor, permission));
  }
  queue.putBack(late);
  return held.length - late.length;
}

function settle(parts: BatchParts, removal: Removal, answerFor: AnswerFor, { done }: Extract<Permission, { is: 'given' }>): Result {
  const result = stopped(parts) ?? attempt(() => removal.settle(answerFor));
  done(result.outcome, result.message);
  return result;
}

function finish({ removal, lock }: Held, result: Result): void {
  lock.release({ remove: removal.removeLockFile });
  removal.settled(result);
}

async function removeAlone(parts: BatchParts, removal: Removal): Promise<void> {
  const work = async (): Promise<Result> => {
    const stays = removal.firstLook();
    if (stays !== undefined) return stays;
    const answerFor = await askUsers(parts, removal.askedNames);
    const permission = (await permissions(parts.record, [removal], answerFor))(removal);
    if (permission.is === 'given') return settle(parts, removal, answerFor, permission);
    return permission.is === 'refused' ? permission.result : NOT_RECORDED;
  };
  const { lockName: name, removeLockFile } = removal;
  const refusal = stopped(parts) ?? attempt(removal.refused);
  removal.settled(refusal ?? (await underLock(parts, { name, failure: 'RemovalFailed', removeLockFile, work })));
}

const NOT_RECORDED: Result = { outcome: 'RemovalFailed', message: 'It was not recorded, so it stays.' };

function stopped({ signal }: BatchParts): Result | undefined {
  return signal?.aborted === true ? { outcome: 'Abandoned' } : undefined;
}

/** Takes from an iterable one by one, and takes back. */
class Queue {
  readonly #rest: Iterator<Removal>;
  #returned: Removal[] = [];
  #next: IteratorResult<Removal, unknown>;

  constructor(removals: Iterable<Removal>) {
    this.#rest = removals[Symbol.iterator]();
    this.#next = this.#rest.next();
  }

  get empty(): boolean {
    return this.#returned.length === 0 && this.#next.done === true;
  }

  next(): Removal | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined || this.#next.done === true) return returned;
    const { value } = this.#next;
    this.#next = this.#rest.next();
    return value;
  }

  putBack(removals: readonly Removal[]): void {
    this.#returned = [...removals, ...this.#returned];
  }
}
