import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createExecutor } from '../../src/execute/executor.ts';
import type { BaseDirectory, BaseFileStat, FileLocker, HeldLock, Objection, UseCheck } from '../../src/model/ports.ts';
import { DAY_MS, executionPolicy, plannedFile, planOf } from '../helpers/execute-plans.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14, 0, 0);
const FILES = 3;
const BATCH = 2;
const DEFINES = [`NF=${FILES}`, `BATCH=${BATCH}`, 'NW=2', 'PASSES=2', 'STOP', 'TRACE'];
/** Longer than a batch goes on taking locks. */
const TIME_IS_UP_MS = 60;

interface Step {
  /** S: somebody else; A: the agent. */
  readonly by: 'S' | 'A';
  readonly op: string;
  readonly args: readonly number[];
}

/** One run of the model by chance, step by step. */
async function traceOf(seed: number): Promise<Step[]> {
  const defines = DEFINES.map((it) => `-D${it}`);
  // spin leaves files where it runs: two at a time must not share them.
  const cwd = mkdtempSync(join(tmpdir(), 'basekeeper-trace-'));
  const args = ['-T', '-B', `-n${seed}`, '-u5000', ...defines, resolve('test/model/removal.pml')];
  const { stdout } = await promisify(execFile)('spin', args, { cwd }).finally(() => rmSync(cwd, { recursive: true }));
  return stdout.split('\n').flatMap((line): Step[] => {
    const [by, ...rest] = line.trim().split(' ');
    if (by === 'S') return [{ by, op: rest[0] ?? '', args: rest.slice(1).map(Number) }];
    // The agent's number comes first; there is one.
    return by === 'A' ? [{ by, op: rest[1] ?? '', args: rest.slice(2).map(Number) }] : [];
  });
}

/** The world of one trace, and the ports over it: each call must be the agent's next step in the trace; what others did before it happens first. */
class Replay {
  readonly #steps: readonly Step[];
  #next = 0;
  #timeMs = 0;
  #changed = false;
  #difference: Error | undefined;
  #stop = new AbortController();
  readonly #exists = Array<boolean>(FILES).fill(true);
  readonly #old = Array<boolean>(FILES).fill(true);
  readonly #slots = new Map<number, number>();
  readonly #gone = new Set<string>();
  removals = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** Throws where the executor does something else than the model's agent. */
  async run(): Promise<void> {
    while (this.#peek()?.op === 'pass') {
      this.#take('pass');
      this.#gone.clear();
      const rows = Array.from({ length: FILES }, (_, f) => plannedFile(`f${f}`, 'remove', stat(f, true)));
      const executor = createExecutor({
        locker: this.#locker(),
        directories: { open: () => this.#directory() },
        clock: { now: () => ({ wallMs: NOW_MS, monotonicMs: this.#now() }) },
        policy: executionPolicy,
        batchSize: { smallest: BATCH, largest: BATCH },
      });
      const { outcomes } = await executor.execute(planOf('/b', rows), this.#ask, { signal: this.#stop.signal });
      while (this.#peek()?.op === 'batch') this.#take('batch');
      const removed = [...outcomes.values()].filter(({ outcome }) => outcome === 'removed').map(({ name }) => name);
      if (removed.toSorted().join() !== [...this.#gone].toSorted().join()) throw new Error(`removed ${removed.join()}, not what went`);
      this.removals += removed.length;
    }
    const left = this.#peek();
    if (left !== undefined) throw new Error(`the executor has ended; the model goes on with '${left.op} ${left.args.join(' ')}'`);
  }

  #peek(): Step | undefined {
    for (let index = this.#next; index < this.#steps.length; index++) if (this.#steps[index]?.by === 'A') return this.#steps[index];
    return undefined;
  }

  #take(op: string, ...args: readonly number[]): readonly number[] {
    for (; this.#steps[this.#next]?.by === 'S'; this.#next++) this.#apply(this.#steps[this.#next]);
    const step = this.#steps[this.#next++];
    const wanted = [op, ...args].join(' ');
    const found = [step?.op, ...(step?.args.slice(0, args.length) ?? [])].join(' ');
    // The first difference: what follows it, such as the release of locks, differs as well.
    if (step === undefined || found !== wanted) this.#difference ??= new TypeError(`the executor does '${wanted}', the model '${found}'`);
    if (this.#difference !== undefined) throw this.#difference;
    if (step === undefined) return [];
    return step.args.slice(args.length);
  }

  #apply(step: Step | undefined): void {
    const [index = 0, value = 0] = step?.args ?? [];
    if (step?.op === 'exists') this.#exists[index] = value === 1;
    if (step?.op === 'exists' || step?.op === 'old') this.#old[index] = step.op === 'old' && value === 1;
    if (step?.op !== 'slot') return;
    this.#slots.set(index, value);
    this.#changed = true;
  }

  /** Where the model's batch is over before it is full, its time is up. A stop reaches the executor where the model's agent looks. */
  #now(): number {
    while (this.#peek()?.op === 'batch') {
      // Also where nothing was locked, and therefore nothing is asked.
      this.#timeMs += TIME_IS_UP_MS;
      if (this.#take('batch')[0] === 1) this.#stop.abort();
    }
    if (this.#peek()?.op === 'ask') this.#timeMs += TIME_IS_UP_MS;
    return this.#timeMs;
  }

  #held(f: number): HeldLock {
    let released = false;
    const release = (): void => {
      if (!released) this.#take('free', f);
      released = true;
    };
    return { waitedSeconds: 0, release };
  }

  #locker(): FileLocker {
    const lock = (op: 'try' | 'wait', name: string): HeldLock | undefined => {
      const f = numberOf(name);
      return this.#take(op, f)[0] === 1 ? this.#held(f) : undefined;
    };
    return {
      acquire: async (name, { signal }) => (signal?.aborted === true ? undefined : lock('wait', name)),
      batch: () => ({ tryLock: (name) => lock('try', name), close: () => {} }),
    };
  }

  #directory(): BaseDirectory {
    const look = (name: string): BaseFileStat | undefined => {
      const f = numberOf(name);
      const [fits] = this.#take(this.#peek()?.op === 'last' ? 'last' : 'first', f);
      const [exists, old] = [this.#exists[f] === true, this.#old[f] === true];
      if ((exists && old) !== (fits === 1)) throw new TypeError(`the model sees f${f} otherwise`);
      return exists ? stat(f, old) : undefined;
    };
    return {
      stat: look,
      withImageLock: (_name, _identity, whileHeld) => (whileHeld(), 'done'),
      unlink: (name) => {
        this.#take('gone', numberOf(name));
        this.#gone.add(name);
        this.#apply({ by: 'S', op: 'exists', args: [numberOf(name), 0] });
      },
      touch: () => {},
      close: () => {},
      openTrash: () => undefined,
      usage: () => ({ sizeBytes: 1000, availableBytes: 500 }),
    };
  }

  readonly #ask: UseCheck = async (names) => {
    this.#take('ask');
    this.#changed = false;
    const used = new Set<string>();
    for (let s = 0; this.#peek()?.op === 'see'; s++) {
      const [file = 0] = this.#take('see', s);
      if (file !== (this.#slots.get(s) ?? 0)) throw new TypeError(`the model sees directory ${s} otherwise`);
      if (file > 0) used.add(`f${file - 1}`);
    }
    const [unsure, halted] = this.#take('answer');
    if ((unsure === 1) !== this.#changed) throw new TypeError('the model is unsure of something else');
    if (halted === 1) this.#stop.abort();
    return new Map(names.map((name) => [name, this.#changed || used.has(name) ? [USED] : []]));
  };
}

const USED: Objection = { kind: 'use', message: 'used, or not known' };

function numberOf(name: string): number {
  return Number(name.slice(1));
}

function stat(f: number, old: boolean): BaseFileStat {
  const modifiedAtMs = old ? NOW_MS - 2 * DAY_MS : NOW_MS;
  return { device: '1', inode: String(f), modifiedAtNs: `${modifiedAtMs}000000`, modifiedAtMs, regular: true };
}

/** Replays one trace through the real executor; the number of removals in it. Throws where the two differ. */
export async function replay(seed: number): Promise<number> {
  const world = new Replay(await traceOf(seed));
  await world.run();
  return world.removals;
}
