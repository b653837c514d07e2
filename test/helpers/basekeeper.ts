import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';

/** The bundle as it is shipped. */
export const BUNDLE = resolve('dist/basekeeper.js');

export interface ProcessRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<ProcessRun>;
}

/** Nothing of the environment of the tests reaches the process, except what it takes to run at all. */
const BARE = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };

/** Starts a program; it is killed when the test ends. */
export function start(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string; /** Whose rights it has, where we are root. */ user?: number } = {},
): RunningProcess {
  const identity = options.user === undefined || process.getuid?.() !== 0 ? {} : { uid: options.user };
  const child = spawn(command, args, { env: { ...BARE, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], ...identity });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const text = (chunks: Buffer[]) => () => Buffer.concat(chunks).toString();
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]): ProcessRun => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: text(stdout)(),
    stderr: text(stderr)(),
  }));
  return { child, pid: child.pid ?? 0, stdout: text(stdout), stderr: text(stderr), ended };
}

/** Starts the command line as `npm run basekeeper` would. */
export function startBasekeeper(args: readonly string[], options?: Parameters<typeof start>[2]): RunningProcess {
  return start(process.execPath, [BUNDLE, ...args], options);
}

/** Runs the command line to its end. */
export function basekeeper(args: readonly string[], options?: Parameters<typeof start>[2]): Promise<ProcessRun> {
  return startBasekeeper(args, options).ended;
}
