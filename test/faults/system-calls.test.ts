import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { basekeeper, BUNDLE, start } from '../helpers/basekeeper.ts';
import { Random } from '../hostile/random.ts';
import { failAtRandom } from './kills.ts';
import { buildWorld, damages, leftOver, type World } from './world.ts';

/** Where a system call is to fail. */
const PLACES = {
  'the instances path': ({ tree }: World) => tree.instancesPath,
  _base: ({ tree }: World) => tree.basePath,
  'an instance directory': ({ tree }: World) => tree.path('vm-on-backing-a'),
  'a disk': ({ tree }: World) => tree.path('vm-on-backing-a/disk'),
  'an unused base file': ({ tree, unused }: World) => tree.path(`_base/${unused[0]}`),
  anywhere: () => undefined,
} as const;

/** What the pass says of it: a reason of the gate, or what became of files. */
type Outcome = { readonly held: string } | { readonly outcome: string };

const held = (reason: string): Outcome => ({ held: reason });
const became = (outcome: string): Outcome => ({ outcome });

const options = ({ tree, workloadsPath }: World): string[] => [
  'pass',
  '--output',
  'json',
  '--instances-path',
  tree.instancesPath,
  '--workloads',
  workloadsPath,
];

/** A pass of the bundle in which one system call, on one path or everywhere, always fails. */
async function faultyPass(world: World, call: string, errno: string, path: string | undefined) {
  const only = path === undefined ? [] : ['-P', path];
  const inject = ['-f', '-qq', '-o', '/dev/null', ...only, '-e', `trace=${call}`, '-e', `inject=${call}:error=${errno}`];
  const { code, stdout, stderr } = await start('strace', [...inject, process.execPath, BUNDLE, ...options(world)]).ended;
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as Omit<Report, 'files'> & { files: { name: string; outcome?: string; outcomeMessage?: string }[] };
  return { code, report };
}

describe('a pass whose system calls fail', () => {
  it.each<[string, string, keyof typeof PLACES, Outcome]>([
    ['getdents64', 'EIO', 'the instances path', held('Unseen')],
    ['getdents64', 'ESTALE', 'an instance directory', held('Unseen')],
    ['openat', 'EACCES', 'an instance directory', held('Unseen')],
    ['openat', 'ENFILE', 'a disk', held('Unseen')],
    ['openat', 'EIO', 'a disk', held('Unseen')],
    ['statx', 'ESTALE', 'a disk', held('Unseen')],
    ['pread64', 'EIO', 'a disk', held('Unseen')],
    ['pread64', 'ESTALE', 'a disk', held('Unseen')],
    ['getdents64', 'EIO', '_base', held('ScanIncomplete')],
    ['openat', 'ESTALE', '_base', held('ScanIncomplete')],
    ['statx', 'EIO', '_base', held('ScanIncomplete')],
    ['statx', 'EIO', 'an unused base file', held('ScanIncomplete')],
    ['fcntl', 'ENOLCK', 'an unused base file', became('RemovalFailed')],
    ['unlink', 'EIO', 'anywhere', became('RemovalFailed')],
    ['unlink', 'ESTALE', 'anywhere', became('RemovalFailed')],
    ['utimensat', 'EIO', 'anywhere', became('TouchFailed')],
    ['utimensat', 'ENOSPC', 'anywhere', became('TouchFailed')],
    ['mkdir', 'EDQUOT', 'anywhere', became('RemovalFailed')],
  ])('%s with %s at %s should lose nothing, be told, and be over with the fault', async (call, errno, place, expected) => {
    using world = buildWorld({ unused: 2 });
    const { code, report } = await faultyPass(world, call, errno, PLACES[place](world));
    expect(damages(world)).toEqual([]);
    if ('held' in expected) {
      // The base directory is looked at twice: for its files, and for the images among them.
      const others = report.gate.reasons.filter(({ reason }) => reason !== 'Unseen' || expected.held === 'Unseen');
      expect(others).toEqual([{ reason: expected.held, message: expect.stringContaining(errno) }]);
      expect(leftOver(world)).toEqual(world.unused);
      expect([code, report.result]).toEqual([3, 'Held']);
    } else {
      const told = report.files.filter(({ outcome }) => outcome === expected.outcome);
      expect(told.length).toBeGreaterThan(0);
      expect(told.map(({ outcomeMessage }) => outcomeMessage?.includes(errno))).toEqual(told.map(() => true));
    }
    expect(await basekeeper(options(world))).toMatchObject({ code: 0 });
    expect(leftOver(world)).toEqual([]);
    expect(damages(world)).toEqual([]);
  });
});

describe('a pass in which anything fails at any moment', () => {
  it('should lose nothing and lock nobody out', async () => {
    // `npm run faults` makes more of it fail.
    expect((await failAtRandom({ rounds: 12, random: new Random(1) })).failures).toEqual([]);
  });
});

describe('a pass that may open hardly any files', () => {
  it('should lose nothing, however many, and do its work as soon as there are enough', async () => {
    using world = buildWorld({ unused: 2 });
    const script = 'ulimit -n "$1"; shift; exec "$@"';
    let finishedAt = 0;
    for (let limit = 16; finishedAt === 0 && limit < 256; limit += limit < 40 ? 1 : 20) {
      // Below some twenty, Node.js itself does not start, and dies by a signal.
      const { code, signal } = await start('bash', ['-c', script, 'bash', String(limit), process.execPath, BUNDLE, ...options(world)])
        .ended;
      expect(damages(world)).toEqual([]);
      const left = leftOver(world).length;
      if (left > 0) expect([code, signal], `limit ${limit}`).not.toEqual([0, 'SIGKILL']);
      else finishedAt = limit;
    }
    expect(finishedAt).toBeGreaterThan(16);
    expect(readdirSync(world.tree.basePath).toSorted()).toEqual([...world.used].toSorted());
  });
});
