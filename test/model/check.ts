import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Configuration } from './configurations.ts';

const run = promisify(execFile);

const MODEL = resolve('test/model/removal.pml');
/** For the deepest run of steps; pan reports when it is too small. */
const DEPTH = 1_000_000;
/** 2^25 slots of its hash table from the start: growing it takes longer than all the rest. */
const HASH_BITS = 25;
/** pan stops there and says so, instead of taking all memory of the machine. */
const MEMORY_MB = 4000;
const OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Checked {
  readonly states: number;
  readonly seconds: number;
  /** What pan has against the model; undefined: nothing, in every order of the steps. */
  readonly error: string | undefined;
}

export interface CheckOptions {
  /** An error ends the search soon: compiling takes longer than searching. */
  readonly errorExpected?: boolean;
  readonly signal?: AbortSignal;
}

/** Has spin look at every order of the steps of the model, until the first error. Throws when the search ended for any other reason. */
export async function check({ defines }: Configuration, { errorExpected = false, signal }: CheckOptions = {}): Promise<Checked> {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-model-'));
  const options = { cwd: directory, maxBuffer: OUTPUT_BYTES, signal };
  try {
    await run('spin', ['-a', ...defines.map((it) => `-D${it}`), MODEL], options);
    await run(
      'gcc',
      [errorExpected ? '-O0' : '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${MEMORY_MB}`, '-o', 'pan', 'pan.c'],
      options,
    );
    const startedMs = performance.now();
    const { stdout } = await run(join(directory, 'pan'), [`-m${DEPTH}`, `-w${HASH_BITS}`], options);
    return { ...verdictOf(stdout), seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Reads what pan prints. An unfinished search is not a verdict, unless an error ended it. */
export function verdictOf(output: string): Pick<Checked, 'states' | 'error'> {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = /^\s*([\d.e+]+) states, stored/m.exec(output)?.[1];
  if (errors === undefined || states === undefined) throw new Error(`pan did not finish its search:\n${output.slice(-2000)}`);
  const error = /^pan:1: (.*)$/m.exec(output)?.[1];
  const unfinished = /Search not completed|max search depth too small|reached -DMEMLIM/.test(output);
  if (Number(errors) > 0 !== (error !== undefined) || (unfinished && error === undefined))
    throw new Error(`pan did not look at all states:\n${output.slice(0, 2000)}`);
  return { states: Number(states), error };
}
