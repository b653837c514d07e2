import { createExecutor } from '../../src/execute/executor.ts';
import { parseTrashEntryName, trashEntryName } from '../../src/model/trash-names.ts';
import type { Plan, PlannedTrashedFile } from '../../src/model/plan.ts';
import type {
  BaseDirectory,
  BaseFileStat,
  DirectoryEntries,
  Execution,
  FileLocker,
  HeldLock,
  Objection,
  TrashDirectory,
  UseCheck,
} from '../../src/model/ports.ts';
import { DAY_MS, executionPolicy, plannedFile, planOf } from '../helpers/execute-plans.ts';
import { trashedFile, trashPlan } from '../helpers/reports.ts';
import { Cursor, traceOf, type Play, type Step } from './trace.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
/** Longer than a batch goes on taking locks. */
const TIME_IS_UP_MS = 150;

/** The cache of one trace, and the executor's ports over it, for one of its agents. */
class Replay {
  readonly #play: Play;
  readonly #me: number;
  readonly #cursor: Cursor;
  #passes = 0;
  #timeMs = 0;
  #changed = false;
  #stop = new AbortController();
  readonly #exists: boolean[];
  readonly #old: boolean[];
  readonly #slots = new Map<number, number>();
  /** Name in the trash → what it looks like there. */
  readonly #trash = new Map<string, BaseFileStat>();
  /** What the model's agent did to each file in this pass. */
  readonly #expected = { base: new Map<string, string>(), trash: new Map<string, string>() };
  changes = 0;

  constructor(play: Play, steps: readonly Step[], me: number) {
    this.#play = play;
    this.#me = me;
    this.#exists = Array<boolean>(play.files).fill(true);
    this.#old = Array<boolean>(play.files).fill(true);
    this.#cursor = new Cursor(steps, me, (step) => this.#apply(step));
  }

  /** Throws where the executor does something else than the model's agent. */
  async run(): Promise<void> {
    const { batch, trash, lockFilesRemoved } = this.#play;
    while (this.#cursor.peek()?.op === 'pass') {
      this.#cursor.take('pass');
      this.#passes++;
      for (const outcomes of Object.values(this.#expected)) outcomes.clear();
      const executor = createExecutor({
        locker: this.#locker(),
        directories: { open: () => this.#directory() },
        clock: { now: () => ({ wallMs: NOW_MS + this.#passes, monotonicMs: this.#now() }) },
        policy: { ...executionPolicy, removeLockFiles: lockFilesRemoved, trash: { enabled: trash, graceSeconds: 0 } },
        batchSize: { smallest: batch, largest: batch },
      });
      const execution = await executor.execute(this.#plan(), this.#ask, { signal: this.#stop.signal });
      while (this.#cursor.peek()?.op === 'batch') this.#cursor.take('batch');
      this.#compare(execution);
    }
    const left = this.#cursor.peek();
    if (left !== undefined) throw new Error(`the executor has ended; the model goes on with '${left.op} ${left.args.join(' ')}'`);
  }

  #compare({ outcomes, trash }: Execution): void {
    const { base: gone, trash: dealtWith } = this.#expected;
    const done = (what: Execution['outcomes'] = new Map()): string[] =>
      [...what].filter(([, { outcome }]) => CHANGES.has(outcome)).map(([name, { outcome }]) => `${name} ${outcome}`);
    const found = [...done(outcomes), ...done(trash)].toSorted().join();
    const expected = [...gone, ...dealtWith].map(([name, outcome]) => `${name} ${outcome}`);
    if (found !== expected.toSorted().join()) throw new Error(`the executor: ${found}; the model: ${expected.join()}`);
    this.changes += expected.length;
  }

  /** Every file is a candidate, whatever it looks like by now; and so is what lies in the trash, or nothing under a name there. */
  #plan(): Plan {
    const order = Array.from({ length: this.#play.files }, (_, index) => (this.#me === 0 ? index : this.#play.files - 1 - index));
    const plan = planOf(
      '/b',
      order.map((f) => plannedFile(`f${f}`, 'remove', stat(f, true))),
    );
    if (!this.#play.trash) return plan;
    const files = order.map((f, index): PlannedTrashedFile => {
      const entry = [...this.#trash.keys()].find((it) => numberOf(it) === f) ?? trashEntryName({ name: `f${f}`, trashedAtMs: 0 });
      const trashedAt = new Date(index).toISOString();
      const identity = this.#trash.get(entry) ?? stat(f, true);
      return trashedFile(entry, { name: `f${f}`, kind: 'original', verdict: 'empty', reason: 'GraceOver', trashedAt, identity });
    });
    return { ...plan, trash: trashPlan(files) };
  }

  /** What others do. */
  #apply({ by, op, args: [index = 0, value = 0] }: Step): void {
    if (op === 'exists') this.#exists[index] = value === 1;
    if (op === 'exists' || op === 'old') this.#old[index] = op === 'old' && value === 1;
    if (by !== 'S' && op === 'gone') this.#exists[index] = false;
    if (op !== 'slot') return;
    this.#slots.set(index, value);
    this.#changed = true;
  }

  /** Where the model's batch is over before it is full, its time is up. A stop reaches the executor where the model's agent looks. */
  #now(): number {
    while (this.#cursor.peek()?.op === 'batch') {
      // Also where nothing was locked, and therefore nothing is asked.
      this.#timeMs += TIME_IS_UP_MS;
      if (this.#cursor.take('batch')[0] === 1) this.#stop.abort();
    }
    if (this.#cursor.peek()?.op === 'ask') this.#timeMs += TIME_IS_UP_MS;
    return this.#timeMs;
  }

  #held(f: number): HeldLock {
    let released = false;
    const release: HeldLock['release'] = ({ remove }) => {
      if (!released && remove) this.#cursor.take('lockfile', f);
      if (!released) this.#cursor.take('free', f);
      released = true;
    };
    return { waitedSeconds: 0, release };
  }

  #locker(): FileLocker {
    const lock = (op: 'try' | 'wait', name: string): HeldLock | undefined => {
      const f = numberOf(name);
      return this.#cursor.take(op, f)[0] === 1 ? this.#held(f) : undefined;
    };
    return {
      acquire: async (name, { signal }) => (signal?.aborted === true ? undefined : lock('wait', name)),
      batch: () => ({ tryLock: (name) => lock('try', name), close: () => {} }),
    };
  }

  #directory(): BaseDirectory {
    return {
      ...this.#entries((name) => this.#look(numberOf(name))),
      unlink: (name) => this.#leave(name, 'removed'),
      openTrash: () => this.#trashDirectory(),
      usage: () => ({ sizeBytes: 1000, availableBytes: 500 }),
    };
  }

  #entries(look: (name: string) => BaseFileStat | undefined): Omit<DirectoryEntries, 'unlink'> {
    return { stat: look, withImageLock: (_name, _identity, whileHeld) => (whileHeld(), 'done'), touch: () => {}, close: () => {} };
  }

  /** The first look, the last look, or whether the file was fetched again: the model must see the same. */
  #look(f: number): BaseFileStat | undefined {
    const op = this.#cursor.peek()?.op ?? '';
    // Looked at once more before it comes back: the move itself decides.
    const [seen] = op === 'back' ? [] : this.#cursor.take(['last', 'there'].includes(op) ? op : 'first', f);
    const [exists, old] = [this.#exists[f] === true, this.#old[f] === true];
    const here = op === 'there' ? exists : exists && old;
    if (seen !== undefined && here !== (seen === 1)) this.#cursor.differ(`the model sees f${f} otherwise`);
    return exists ? stat(f, old) : undefined;
  }

  #leave(name: string, outcome: 'removed' | 'trashed'): void {
    const f = numberOf(name);
    this.#cursor.take('gone', f);
    this.#exists[f] = false;
    this.#expected.base.set(name, outcome);
  }

  #trashDirectory(): TrashDirectory {
    const look = (entry: string): BaseFileStat | undefined => {
      const f = numberOf(entry);
      const found = this.#trash.get(entry);
      if (this.#cursor.peek()?.op === 'first' && this.#cursor.take('first', f)[0] !== Number(found !== undefined))
        this.#cursor.differ(`the model sees ${entry} otherwise`);
      return found;
    };
    return {
      ...this.#entries(look),
      unlink: (entry) => {
        // A file that came back loses its name there; any other is gone for good.
        const isBack = this.#cursor.peek()?.op === 'left';
        this.#cursor.take(isBack ? 'left' : 'emptied', numberOf(entry));
        this.#trash.delete(entry);
        if (!isBack) this.#expected.trash.set(entry, 'emptied');
      },
      list: () => [...this.#trash.keys()],
      take: (name, entry) => {
        this.#leave(name, 'trashed');
        this.#trash.set(entry, stat(numberOf(name), this.#old[numberOf(name)] === true));
      },
      giveBack: (entry, name) => this.#giveBack(entry, name),
    };
  }

  #giveBack(entry: string, name: string): 'done' | 'exists' {
    const f = numberOf(name);
    const done = this.#cursor.take('back', f)[0] === 1;
    if (done === this.#exists[f]) this.#cursor.differ(`the model sees f${f} otherwise`);
    if (!done) return 'exists';
    [this.#exists[f], this.#old[f]] = [true, false];
    // As it went, or one that lay there for its grace.
    if (!this.#expected.base.delete(name)) this.#expected.trash.set(entry, 'restored');
    return 'done';
  }

  readonly #ask: UseCheck = async (names) => {
    this.#cursor.take('ask');
    this.#changed = false;
    const used = new Set<string>();
    for (let s = 0; this.#cursor.peek()?.op === 'see'; s++) {
      const [file = 0] = this.#cursor.take('see', s);
      if (file !== (this.#slots.get(s) ?? 0)) this.#cursor.differ(`the model sees directory ${s} otherwise`);
      if (file > 0) used.add(`f${file - 1}`);
    }
    const [unsure, halted] = this.#cursor.take('answer');
    if ((unsure === 1) !== this.#changed) this.#cursor.differ('the model is unsure of something else');
    if (halted === 1) this.#stop.abort();
    return new Map(names.map((name) => [name, this.#changed ? [UNSURE] : used.has(name) ? [USED] : []]));
  };
}

const CHANGES: ReadonlySet<string> = new Set(['removed', 'trashed', 'emptied', 'restored']);
const USED: Objection = { kind: 'use', message: 'used' };
const UNSURE: Objection = { kind: 'gate', message: 'a directory changed meanwhile' };

/** Of a base file, or of what was one. */
function numberOf(name: string): number {
  return Number((parseTrashEntryName(name)?.name ?? name).slice(1));
}

function stat(f: number, old: boolean): BaseFileStat {
  const modifiedAtMs = old ? NOW_MS - 2 * DAY_MS : NOW_MS;
  return {
    device: '1',
    inode: String(f),
    modifiedAtNs: `${modifiedAtMs}000000`,
    modifiedAtMs,
    sizeBytes: 1,
    allocatedBytes: 1,
    regular: true,
    links: 1,
  };
}

/** Replays one trace through the real executor, for each of its agents; how many files went or came back. Throws where the two differ. */
export async function replay(play: Play, seed: number): Promise<number> {
  const steps = await traceOf(play, seed);
  let changes = 0;
  for (let me = 0; me < play.agents; me++) {
    const world = new Replay(play, steps, me);
    await world.run();
    changes += world.changes;
  }
  return changes;
}
