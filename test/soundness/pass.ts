import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { run } from '../../src/cli/run.ts';
import { recordingIo } from '../helpers/command-line.ts';
import type { Built } from './build.ts';

/** What is read of a report; by field names, as anybody would who has only the documents. */
export interface PassReport {
  readonly result: string;
  readonly gate: { readonly open: boolean; readonly reasons: readonly { readonly reason: string; readonly message: string }[] };
  readonly files: readonly { readonly name: string; readonly verdict: string; readonly reason: string; readonly outcome?: string }[];
  readonly unseen?: readonly { readonly path: string }[];
}

export interface PassResult {
  readonly code: number;
  readonly report: PassReport | undefined;
  readonly stderr: string;
}

/** Who runs a pass that has no privileges. */
export const NOBODY = 65_534;

const BUNDLE = resolve('dist/basekeeper.js');
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };

/** One enforcing pass: by the program as it is shipped, or by the same command line in this process. */
export async function runPass(
  { evidence }: Built,
  options: { readonly program: boolean; readonly user: number | undefined },
): Promise<PassResult> {
  const argv = ['pass', '--config', evidence.configFile, '--output', 'json'];
  return options.program ? runProgram(argv, options.user) : await runHere(argv, options.user);
}

function runProgram(argv: readonly string[], user: number | undefined): PassResult {
  const ran = spawnSync(process.execPath, [BUNDLE, ...argv], {
    encoding: 'utf8',
    env: ENVIRONMENT,
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return resultOf(ran.status ?? -1, ran.stdout, ran.stderr);
}

async function runHere(argv: readonly string[], user: number | undefined): Promise<PassResult> {
  const { io, stdout, stderr } = recordingIo();
  const wiring = await import('../../src/wire/commands.ts');
  if (user !== undefined) process.seteuid?.(user);
  try {
    const code = await run(argv, ENVIRONMENT, io, () => Promise.resolve(wiring));
    return resultOf(code, stdout.text(), stderr.text());
  } finally {
    if (user !== undefined) process.seteuid?.(0);
  }
}

function resultOf(code: number, stdout: string, stderr: string): PassResult {
  try {
    return { code, report: JSON.parse(stdout) as PassReport, stderr };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { code, report: undefined, stderr };
  }
}
