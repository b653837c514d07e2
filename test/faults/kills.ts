import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../hostile/random.ts';
import { BUNDLE } from '../helpers/basekeeper.ts';
import { unrecovered } from './recorded.ts';
import { buildWorld, damages, leftOver, refill, type World } from './world.ts';

const CHILD = fileURLToPath(new URL('pass-child.ts', import.meta.url));

export interface Killed {
  /** What was run, for messages. */
  readonly what: string;
  /** False where the pass ended before it could be killed. */
  readonly killed: boolean;
  readonly stdout: string;
  readonly durationMs: number;
}

/** A pass of the sources, killed as it enters its n-th stage; `stages` are those that it has entered. */
export async function killAtStage(world: World, stage: number): Promise<Killed & { readonly stages: readonly string[] }> {
  const args = [CHILD, world.tree.instancesPath, world.workloadsPath, String(stage)];
  const killed = await run(`stage ${stage}`, process.execPath, args);
  return { ...killed, stages: killed.stdout.trim().split('\n') };
}

/** A pass of the bundle, killed as it is about to make the n-th of these system calls. */
export async function killAtSystemCall(world: World, call: string, nth: number): Promise<Killed> {
  return await run(`${call} ${nth}`, 'strace', injecting(world, call, `signal=KILL:when=${nth}`));
}

/** A pass of the bundle in which these system calls fail from the n-th on. It may end as it likes: Node.js itself needs some of them. */
export async function failSystemCall(world: World, call: string, errno: string, nth: number): Promise<Killed> {
  return await run(`${call} ${nth} ${errno}`, 'strace', injecting(world, call, `error=${errno}:when=${nth}+`), { anyEnd: true });
}

/** A pass of the bundle in which one of these system calls fails, and none after it. */
export async function failOneSystemCall(world: World, call: string, errno: string, nth: number): Promise<Killed> {
  return await run(`${call} ${nth} ${errno} once`, 'strace', injecting(world, call, `error=${errno}:when=${nth}`));
}

/** A pass of the bundle, killed after so many milliseconds. */
export async function killAfter(world: World, delayMs: number): Promise<Killed> {
  return await run(`${delayMs} ms`, process.execPath, bundleArgs(world), { killAfterMs: delayMs });
}

/** A pass of the bundle that nobody disturbs. */
export async function wholePass(world: World): Promise<Killed> {
  return await run('whole pass', process.execPath, bundleArgs(world));
}

/** What strace is called with for a pass of the bundle that meets a fault. */
function injecting(world: World, call: string, fault: string): string[] {
  const inject = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:${fault}`];
  return [...inject, process.execPath, ...bundleArgs(world)];
}

export function bundleArgs({ tree, workloadsPath, configPath }: World): string[] {
  return [BUNDLE, 'pass', '--config', configPath, '--instances-path', tree.instancesPath, '--workloads', workloadsPath];
}

interface RunOptions {
  readonly killAfterMs?: number;
  /** Any exit code will do, and nobody wants to read why. */
  readonly anyEnd?: true;
}

async function run(what: string, command: string, args: readonly string[], { killAfterMs, anyEnd }: RunOptions = {}): Promise<Killed> {
  const startedMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', anyEnd === true ? 'ignore' : 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  if (killAfterMs !== undefined) void sleep(killAfterMs).then(() => child.kill('SIGKILL'));
  const [code, signal] = await ended;
  const stdout = Buffer.concat(chunks).toString();
  // strace ends as what it ran has ended.
  const killed = signal === 'SIGKILL' || code === 137;
  if (!killed && code !== 0 && anyEnd !== true) throw new Error(`${what}: exit ${code}, ${signal}\n${stdout}`);
  return { what, killed, stdout, durationMs: performance.now() - startedMs };
}

export interface RandomKills {
  readonly kills: number;
  /** Passes that were over before. */
  readonly completed: number;
  /** Kills that came while files were being removed. */
  readonly amidRemovals: number;
  readonly failures: readonly string[];
}

/** Kills passes at random moments of one and the same cache, and looks after each what they left; then lets one come to its end. */
export async function killAtRandom(options: { rounds: number; random: Random; shared?: boolean; trash?: boolean }): Promise<RandomKills> {
  const { rounds, random, shared = false, trash = false } = options;
  using world = buildWorld({ unused: 60, shared, trash });
  const { durationMs } = await wholePass(world);
  const failures: string[] = [];
  const count = { kills: 0, completed: 0, amidRemovals: 0 };
  for (let round = 0; round < rounds; round++) {
    refill(world);
    // Half of them in the second half, where the files go.
    const share = random.pick([0, 50]) + random.below(60);
    const delayMs = Math.round((durationMs * share) / 100);
    const { killed, what } = await killAfter(world, delayMs);
    count[killed ? 'kills' : 'completed'] += 1;
    const left = leftOver(world).length;
    if (killed && left > 0 && left < world.unused.length) count.amidRemovals += 1;
    failures.push(...damages(world).map((damage) => `killed after ${what}: ${damage}`));
    if (!killed && left > 0) failures.push(`a whole pass left ${left} files`);
  }
  await wholePass(world);
  if (leftOver(world).length > 0) failures.push('the pass after the last kill did not finish the work');
  failures.push(...damages(world), ...unrecovered(world.tree.instancesPath));
  return { ...count, failures };
}

const CALLS = [
  'openat',
  'statx',
  'getdents64',
  'pread64',
  'fcntl',
  'unlink',
  'utimensat',
  'mkdir',
  'fchown',
  'fchmod',
  'fstatfs',
  'close',
  'pwrite64',
  'fdatasync',
];
// Not EINTR: libuv asks again for as long as it comes, which is for ever here.
const ERRNOS = ['EIO', 'ESTALE', 'EMFILE', 'ENFILE', 'ENOSPC', 'EROFS', 'EACCES', 'ENOLCK', 'ENOMEM'];

export interface RandomFaults {
  readonly faults: number;
  /** Passes that did all their work anyway. */
  readonly finished: number;
  readonly failures: readonly string[];
}

/** Makes any system call fail from any moment on, in passes over one and the same cache, and looks after each what it left. */
export async function failAtRandom({ rounds, random }: { rounds: number; random: Random }): Promise<RandomFaults> {
  using world = buildWorld({ unused: 10 });
  const failures: string[] = [];
  let finished = 0;
  for (let round = 0; round < rounds; round++) {
    refill(world);
    const { what } = await failSystemCall(world, random.pick(CALLS), random.pick(ERRNOS), 1 + random.below(random.pick([4, 40, 400])));
    if (leftOver(world).length === 0) finished += 1;
    failures.push(...damages(world).map((damage) => `${what}: ${damage}`));
  }
  await wholePass(world);
  if (leftOver(world).length > 0) failures.push('the pass after the last fault did not finish the work');
  failures.push(...damages(world));
  return { faults: rounds, finished, failures };
}
