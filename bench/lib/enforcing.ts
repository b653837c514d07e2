/** Enforcing passes on copies of one tree, each at the tree's own path, because headers name it. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { ended, file, timed } from './child.ts';
import type { ImageSettings } from './image.ts';
import type { BenchTree } from './tree.ts';

export interface Enforced {
  readonly seconds: number;
  readonly removed: ReadonlySet<string>;
}

/** Nova has no such limit. */
const NO_LIMIT: SettingsInput = { maxRemovalsPerPass: 0 };

interface NovaFigures {
  readonly importSeconds: number;
  readonly passSeconds: number;
  readonly active: number;
}

export interface PassRun {
  /** Default: no limit of removals. */
  readonly settings?: SettingsInput | undefined;
  /** Default: as the bundle runs without it. */
  readonly image?: ImageSettings | undefined;
}

/** The whole process of ours, from start to exit. */
export async function enforceOurs(bundle: string, tree: BenchTree, run: PassRun = {}): Promise<Enforced> {
  return await onCopy(tree, () => timed(process.execPath, passOf(bundle, tree, run), environmentOf(run)));
}

/** A bare script that removes the same files by the same system calls, and decides nothing. */
export async function enforceBare(tree: BenchTree, names: ReadonlySet<string>, threads: 1 | 2 = 1): Promise<Enforced> {
  const namesPath = `${tree.workloadsPath}.names`;
  writeFileSync(namesPath, JSON.stringify([...names]));
  const args = [file('children/bare-removals.mjs'), tree.instancesPath, namesPath, String(threads)];
  return await onCopy(tree, () => timed(process.execPath, args));
}

function environmentOf({ image }: PassRun): NodeJS.ProcessEnv {
  return { ...process.env, ...image?.env, NODE_NAME: 'bench' };
}

function passOf(bundle: string, tree: BenchTree, { settings = NO_LIMIT, image }: PassRun): string[] {
  const config = `${tree.workloadsPath}.config`;
  writeFileSync(config, JSON.stringify({ instancesPath: tree.instancesPath, ...settings }));
  return [...(image?.flags ?? []), bundle, 'pass', '--config', config, '--workloads', tree.workloadsPath, '--output', 'json'];
}

/** The longest time, in seconds, that an enforcing pass held one of Nova's locks: seen from outside, by strace. */
export async function longestHold(
  bundle: string,
  tree: BenchTree,
  run: PassRun = {},
): Promise<{ readonly seconds: number; readonly locks: number }> {
  const trace = `${tree.workloadsPath}.trace`;
  const strace = ['-f', '--seccomp-bpf', '-ttt', '-qq', '-o', trace, '-e', 'trace=fcntl,close', process.execPath];
  await onCopy(tree, () => timed('strace', [...strace, ...passOf(bundle, tree, run)], environmentOf(run)));
  const since = new Map<string, number>();
  const holds: number[] = [];
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, at = '', call, fd = '', rest = ''] = /^\d+ +([\d.]+) (\w+)\((\d+)(.*)/.exec(line) ?? [];
    // Nova's locks are of the whole file; those of QEMU's images are of some bytes.
    if (call === 'fcntl' && rest.includes('F_OFD_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0'))
      since.set(fd, Number(at));
    const taken = since.get(fd);
    if (call !== 'close' || taken === undefined) continue;
    holds.push(Number(at) - taken);
    since.delete(fd);
  }
  if (holds.length === 0) throw new Error('the trace shows no lock');
  return { seconds: Math.max(...holds), locks: holds.length };
}

/** Nova's pass alone, without the time in which Python imports it. */
export async function enforceNova(tree: BenchTree): Promise<Enforced> {
  return await onCopy(tree, async () => (await novaPass(tree, { removes: true })).passSeconds);
}

export async function novaPass(
  { instancesPath, novaInstances }: BenchTree,
  { removes }: { readonly removes: boolean },
): Promise<NovaFigures> {
  const nova = spawn('/usr/bin/python3', [file('peers/nova_pass.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  nova.stdin.end(JSON.stringify({ instancesPath, instances: novaInstances, removeUnused: removes }));
  const [output] = await Promise.all([text(nova.stdout), ended(nova)]);
  const figures = JSON.parse(output) as NovaFigures;
  if (figures.active < 1) throw new Error('Nova found no base file in use: the tree is not what it should be');
  return figures;
}

let copies = 0;

/**
 * A copy that was used stays, aside, until the bench ends: ext4 gives no inode again soon after its file was deleted, and looks at each such
 * inode whenever it makes a file, so that thousands of fresh deletions make the next pass many times slower.
 */
async function onCopy({ instancesPath, basePath }: BenchTree, pass: () => Promise<number>): Promise<Enforced> {
  const kept = `${instancesPath}.kept`;
  renameSync(instancesPath, kept);
  try {
    execFileSync('cp', ['-a', '--sparse=always', kept, instancesPath]);
    // What was just copied is to be in the file system, not in the way of the next process.
    execFileSync('sync', ['-f', instancesPath]);
    const before = readdirSync(basePath);
    const seconds = await pass();
    const left = new Set(readdirSync(basePath));
    return { seconds, removed: new Set(before.filter((name) => !left.has(name))) };
  } finally {
    copies += 1;
    renameSync(instancesPath, `${instancesPath}.used-${copies}`);
    renameSync(kept, instancesPath);
  }
}
