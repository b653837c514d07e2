import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Random } from '../hostile/random.ts';
import { bundleArgs, killAtSystemCall, wholePass } from './kills.ts';
import { unrecovered } from './recorded.ts';
import { buildWorld, damages, leftOver, refill, type World } from './world.ts';

/** All that reaches a file system, or a lock. */
const CALLS =
  'openat,statx,fstat,fstatfs,statfs,getdents64,pread64,readlink,fcntl,close,mkdir,rename,renameat2,link,unlink,rmdir,utimensat,fchown,fchmod,fsync,fdatasync,pwrite64,ftruncate';

export interface CallOfBatch {
  readonly call: string;
  /** Which of the calls of this name, counted from the start of the process. */
  readonly nth: number;
}

/** The calls of a whole pass from its first look at the lock directory for a removal to its last call. */
export function callsOfBatch(world: World): CallOfBatch[] {
  const trace = world.tree.path('../trace');
  const { status } = spawnSync('strace', ['-f', '-qq', '-o', trace, '-e', `trace=${CALLS}`, process.execPath, ...bundleArgs(world)]);
  if (status !== 0) throw new Error(`strace ended with ${status}`);
  const lines = readFileSync(trace, 'utf8').split('\n');
  // The thread that takes the locks does all of a batch but some of its evidence.
  const thread = lines.find((line) => line.includes('F_OFD_SETLK'))?.split(' ', 1)[0];
  const counts = new Map<string, number>();
  const calls: CallOfBatch[] = [];
  let begun = false;
  for (const line of lines) {
    const call = /^(\d+) +(\w+)\(/.exec(line);
    // The one that waits for the disk is another; its calls are counted for each thread, as strace does.
    if (call === null || (call[1] !== thread && call[2] !== 'fdatasync')) continue;
    const name = call[2] ?? '';
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    begun ||= name === 'openat' && line.includes('/locks"');
    if (begun) calls.push({ call: name, nth });
  }
  return calls;
}

export interface BatchKills {
  /** Calls of the batch. */
  readonly calls: number;
  readonly kills: number;
  /** Kills that left some of the files, and not all. */
  readonly amidRemovals: number;
  readonly failures: readonly string[];
}

/** Kills a pass at each system call of its batches, or at `sample` of them, and looks after each kill what it left, and whether the next pass ends the work. */
export async function killThroughoutBatch(
  options: {
    readonly trash?: boolean;
    readonly unused?: number;
    readonly sample?: { readonly size: number; readonly random: Random };
  } = {},
): Promise<BatchKills> {
  const { trash = false, unused = 3, sample } = options;
  using world = buildWorld({ unused, trash });
  // The lock directory and the trash are there in all that follow.
  await wholePass(world);
  refill(world);
  const all = callsOfBatch(world);
  const chosen = sample === undefined ? all : Array.from({ length: sample.size }, () => sample.random.pick(all));
  const failures: string[] = [];
  const count = { kills: 0, amidRemovals: 0 };
  for (const { call, nth } of chosen) {
    refill(world);
    const { killed, what } = await killAtSystemCall(world, call, nth);
    const left = leftOver(world).length;
    count.kills += Number(killed);
    count.amidRemovals += Number(killed && left > 0 && left < unused);
    failures.push(...damages(world).map((damage) => `killed at ${what}: ${damage}`));
  }
  await wholePass(world);
  failures.push(...unrecovered(world.tree.instancesPath));
  if (leftOver(world).length > 0) failures.push('the pass after the last kill did not finish the work');
  failures.push(...damages(world));
  return { calls: all.length, ...count, failures };
}
