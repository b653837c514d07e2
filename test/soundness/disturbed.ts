import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUNDLE } from '../helpers/basekeeper.ts';
import type { Random } from '../hostile/random.ts';
import type { Built } from './build.ts';
import { Templates } from './images.ts';
import { judge } from './judge.ts';
import { randomLayout } from './layout.ts';
import { runPass } from './pass.ts';

/** What is done to a tree, or to passes over it, before the pass that nobody disturbs. */
export type Disturbance = (built: Built, user: number | undefined) => Promise<void>;

export interface DisturbedResult {
  readonly layouts: number;
  readonly removed: number;
  readonly failures: readonly string[];
}

/** Layouts as `runSoundness` has them, and the same judge, with something that goes wrong before the last pass. */
export async function judgeDisturbed(options: {
  readonly seed: number;
  readonly layouts: number;
  readonly disturb: Disturbance;
}): Promise<DisturbedResult> {
  const { seed, layouts, disturb } = options;
  const parent = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'basekeeper-disturbed-'));
  chmodSync(parent, 0o755);
  const failures: string[] = [];
  let removed = 0;
  try {
    using templates = new Templates(parent);
    for (let index = 0; index < layouts; index += 1) {
      const pass: typeof runPass = async (built, running) => {
        await disturb(built, running.user);
        return await runPass(built, running);
      };
      const verdict = await judge(randomLayout(seed, index), { parent, templates, program: false, pass });
      removed += verdict.removed;
      if (verdict.fault !== undefined)
        failures.push(`seed ${seed}, layout ${index}: ${verdict.fault}: ${verdict.message}\n${verdict.recipe}`);
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
  return { layouts, removed, failures };
}

/** The shipped program, by a command that may do something to it; whatever it comes to. */
async function runDisturbed(
  built: Built,
  user: number | undefined,
  options: { readonly wrapper?: readonly string[]; readonly killAfterMs?: number },
): Promise<void> {
  const command = [...(options.wrapper ?? []), process.execPath, BUNDLE, 'pass', '--config', built.evidence.configFile];
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'ignore', ...(user === undefined ? {} : { uid: user, gid: user }) });
  const ended = once(child, 'close');
  if (options.killAfterMs !== undefined) void sleep(options.killAfterMs).then(() => child.kill('SIGKILL'));
  await ended;
}

/** Passes that are killed at a random moment: most of it is spent before anything changes, so later ones are drawn more often. */
export function killed(random: Random, times = 2): Disturbance {
  return async (built, user) => {
    for (let time = 0; time < times; time += 1) await runDisturbed(built, user, { killAfterMs: 150 + random.below(400) });
  };
}

const CALLS = ['openat', 'statx', 'getdents64', 'pread64', 'readlink', 'fcntl', 'unlink', 'rename', 'utimensat', 'mkdir'];
const ERRNOS = ['EIO', 'ESTALE', 'EMFILE', 'ENOSPC', 'EROFS', 'EACCES', 'ENOLCK', 'ENOMEM'];

/** Passes in which one kind of system call fails from a random moment on. */
export function failing(random: Random): Disturbance {
  return async (built, user) => {
    const call = random.pick(CALLS);
    const inject = `inject=${call}:error=${random.pick(ERRNOS)}:when=${1 + random.below(random.pick([4, 40, 400]))}+`;
    const wrapper = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
    await runDisturbed(built, user, { wrapper });
  };
}

/** Renames directories there and back, as resizes do, until its input ends; then each is where it was. */
const MOVER = `
import os, select, sys
print('begun', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for path in sys.argv[1:]:
        os.rename(path, path + '_resize')
        os.rename(path + '_resize', path)
`;
const NOT_MOVED = new Set(['_base', 'locks', 'lost+found', 'snapshots']);

/** Passes while all instance directories are being resized. */
export function moving(passes = 3): Disturbance {
  return async (built, user) => {
    const below = instancesBelow(built.tree.root);
    const mover = spawn('/usr/bin/python3', ['-c', MOVER, ...below], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(mover.stdout, 'data');
    for (let pass = 0; pass < passes; pass += 1) await runPass(built, { program: false, user });
    const ended = once(mover, 'close');
    mover.stdin.end();
    await ended;
  };
}

/** The directories in the instances path, which may be mounted elsewhere by now. */
function instancesBelow(root: string): string[] {
  const instances = ['host', 'mounted'].map((name) => join(root, name, 'instances')).find((path) => existsSync(path));
  if (instances === undefined) return [];
  const names = readdirSync(instances, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !NOT_MOVED.has(entry.name));
  return names
    .map(({ name }) => join(instances, name))
    .filter((path) => !path.endsWith('_resize') && lstatSync(`${path}_resize`, { throwIfNoEntry: false }) === undefined);
}
