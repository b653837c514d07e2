import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** What spin plays by chance, and with what the executor must do the same. */
export interface Play {
  readonly name: string;
  readonly files: number;
  readonly batch: number;
  readonly agents: number;
  readonly trash: boolean;
  readonly lockFilesRemoved: boolean;
  /** Besides what follows from the above. */
  readonly defines: readonly string[];
}

const PLAIN = { files: 3, batch: 2, agents: 1, trash: false, lockFilesRemoved: false };

export const PLAYS: readonly Play[] = [
  { ...PLAIN, name: 'batches of two, a stop', defines: ['NW=2', 'STOP'] },
  { ...PLAIN, name: 'batches of one, a stop', batch: 1, defines: ['NW=2', 'STOP'] },
  { ...PLAIN, name: 'the trash, a disk that arrives', files: 2, trash: true, defines: ['NW=1', 'ARRIVAL=100'] },
  { ...PLAIN, name: 'the trash, touches, a stop', files: 2, trash: true, defines: ['NW=1', 'STOP', 'TOUCHES=200', 'RESTS=6'] },
  { ...PLAIN, name: 'lock files removed', lockFilesRemoved: true, defines: ['NW=2', 'STOP'] },
  { ...PLAIN, name: 'two agents, lock files removed', agents: 2, lockFilesRemoved: true, defines: ['NW=2'] },
];

/** One step of somebody else in the cache (S), or of an agent, by its number. */
export interface Step {
  readonly by: 'S' | number;
  readonly op: string;
  readonly args: readonly number[];
}

/** One run of the model by chance, step by step. */
export async function traceOf({ files, batch, agents, trash, lockFilesRemoved, defines }: Play, seed: number): Promise<Step[]> {
  const all = [`NF=${files}`, `BATCH=${batch}`, `NA=${agents}`, 'PASSES=3', 'LIVES=12', 'TRACE', ...defines];
  if (trash) all.push('TRASH');
  if (lockFilesRemoved) all.push('LOCK_FILES_REMOVED');
  // spin leaves files where it runs: two at a time must not share them.
  const cwd = mkdtempSync(join(tmpdir(), 'basekeeper-trace-'));
  const args = ['-T', '-B', `-n${seed}`, '-u8000', ...all.map((it) => `-D${it}`), resolve('test/model/removal.pml')];
  const { stdout } = await promisify(execFile)('spin', args, { cwd }).finally(() => rmSync(cwd, { recursive: true }));
  if (stdout.includes('assertion violated')) throw new Error(`the model itself is broken: ${stdout.slice(-500)}`);
  return stdout.split('\n').flatMap((line): Step[] => {
    const [by, ...rest] = line.trim().split(' ');
    if (by === 'S') return [{ by, op: rest[0] ?? '', args: rest.slice(1).map(Number) }];
    return by === 'A' ? [{ by: Number(rest[0]), op: rest[1] ?? '', args: rest.slice(2).map(Number) }] : [];
  });
}

/** Walks along a trace with one agent: what it does must be its next step there, and what others did before that happens first. */
export class Cursor {
  readonly #steps: readonly Step[];
  readonly #me: number;
  readonly #apply: (step: Step) => void;
  #next = 0;
  #difference: Error | undefined;

  constructor(steps: readonly Step[], me: number, apply: (step: Step) => void) {
    this.#steps = steps;
    this.#me = me;
    this.#apply = apply;
  }

  /** The agent's next step. */
  peek(): Step | undefined {
    for (let index = this.#next; index < this.#steps.length; index++) if (this.#steps[index]?.by === this.#me) return this.#steps[index];
    return undefined;
  }

  /** What the step says besides `args`. Throws where the agent's next step is another. */
  take(op: string, ...args: readonly number[]): readonly number[] {
    let step = this.#steps[this.#next++];
    for (; step !== undefined && step.by !== this.#me; step = this.#steps[this.#next++]) this.#apply(step);
    const wanted = [op, ...args].join(' ');
    const found = [step?.op, ...(step?.args.slice(0, args.length) ?? [])].join(' ');
    if (found !== wanted) this.differ(`the executor does '${wanted}', the model '${found}'`);
    if (this.#difference !== undefined) throw this.#difference;
    return step?.args.slice(args.length) ?? [];
  }

  /** Throws the first difference: what follows it, such as the release of locks, differs as well. No errno: no outcome swallows it. */
  differ(message: string): void {
    this.#difference ??= new TypeError(message);
    throw this.#difference;
  }
}
