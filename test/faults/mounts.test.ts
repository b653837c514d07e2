import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statfsSync, symlinkSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Stage } from '../../src/model/report.ts';
import { createPass } from '../../src/wire/pass.ts';
import { configOf } from './config.ts';
import { buildWorld, damages, leftOver, type World } from './world.ts';

/** Real mounts; they need root, as CI and the test set-up have it. */
function mount(path: string, ...options: readonly string[]): { readonly unmount: () => void } {
  execFileSync('mount', [...options, path]);
  let mounted = true;
  // Lazily, as a server that is gone leaves no other way: anyone who has it open keeps it.
  const unmount = (): void => {
    if (mounted) execFileSync('umount', ['-l', path]);
    mounted = false;
  };
  onTestFinished(unmount);
  return { unmount };
}

const tmpfs = (path: string, options = 'size=64m') => mount(path, '-t', 'tmpfs', '-o', options, 'basekeeper-test');

/** The cache on a file system of its own, over an empty directory or one with a cache of its own. */
function worldOnMount(
  where: '_base' | 'instances',
  options?: string,
): World & { readonly unmount: () => void; readonly beneath: readonly string[] } {
  const world = buildWorld({ locks: true });
  onTestFinished(() => world[Symbol.dispose]());
  const path = where === '_base' ? world.tree.basePath : world.tree.instancesPath;
  const copy = world.tree.path('../copy');
  execFileSync('cp', ['-a', path, copy]);
  const { unmount } = tmpfs(path, options);
  execFileSync('cp', ['-a', `${copy}/.`, path]);
  rmSync(copy, { recursive: true });
  return { ...world, unmount, beneath: [...world.used, ...world.unused].toSorted() };
}

async function pass(world: World, onStage?: (stage: Stage) => void) {
  const wired = await createPass(configOf({ instancesPath: world.tree.instancesPath, workloadsPath: world.workloadsPath }));
  try {
    const { result, gate, files, totals, cacheUsageBytes, findings, ledger } = await wired.runPass({ dryRun: false, onStage });
    const outcomes = [...files].map(({ outcome, outcomeMessage }) => `${outcome} ${outcomeMessage ?? ''}`);
    const unwritable = findings.filter(({ type }) => type === 'LedgerUnwritable').map(({ message }) => message);
    return {
      result,
      reasons: gate.reasons.map(({ reason }) => reason),
      outcomes,
      removed: totals.removedFiles,
      cacheUsageBytes,
      unwritable,
      unrecordedFiles: ledger?.unrecordedFiles,
    };
  } finally {
    await wired.close();
  }
}

const STAGES: readonly Stage[] = ['references', 'overlays', 'plan', 'execute'];
const listing = (path: string): string[] => readdirSync(path).toSorted();

describe('_base on a file system of its own', () => {
  it('should be cleaned as any other, though Nova counts none of it', async () => {
    const world = worldOnMount('_base');
    expect(await pass(world)).toMatchObject({ result: 'Succeeded', removed: world.unused.length, cacheUsageBytes: 0 });
    expect(listing(world.tree.basePath)).toEqual([...world.used].toSorted());
  });

  it.each(STAGES)('should be let go of when it is unmounted before the stage %s: what lies beneath is another cache', async (stage) => {
    const world = worldOnMount('_base');
    const { removed } = await pass(world, (entered) => entered === stage && world.unmount());
    expect(removed).toBe(0);
    expect(listing(world.tree.basePath)).toEqual(world.beneath);
  });

  it.each(STAGES)('should be let go of when the whole instances path is unmounted before the stage %s', async (stage) => {
    const world = worldOnMount('instances');
    // Without its overlays, what lies beneath looks unused.
    const { removed } = await pass(world, (entered) => {
      if (entered !== stage) return;
      world.unmount();
      for (const name of readdirSync(world.tree.instancesPath)) if (name.startsWith('vm-')) world.tree.remove(name);
    });
    expect(removed).toBe(0);
    expect(listing(world.tree.basePath)).toEqual(world.beneath);
  });

  it('should be no problem when it is not mounted at all: there is nothing to do', async () => {
    using world = buildWorld();
    renameSync(world.tree.basePath, world.tree.path('../elsewhere'));
    expect(await pass(world)).toMatchObject({ result: 'Succeeded', removed: 0, outcomes: [] });
    renameSync(world.tree.path('../elsewhere'), world.tree.basePath);
    expect(await pass(world)).toMatchObject({ result: 'Succeeded', removed: world.unused.length });
    expect(damages(world)).toEqual([]);
  });

  it.each(STAGES)('should not be followed when a link takes its place before the stage %s', async (stage) => {
    using world = buildWorld();
    const elsewhere = world.tree.path('../elsewhere');
    const { removed } = await pass(world, (entered) => {
      if (entered !== stage) return;
      renameSync(world.tree.basePath, elsewhere);
      symlinkSync(elsewhere, world.tree.basePath);
    });
    expect(removed).toBe(0);
    expect(listing(elsewhere)).toEqual([...world.used, ...world.unused].toSorted());
  });
});

describe('a file system that takes nothing', () => {
  it('should be told file by file when it is read-only, and be cleaned once it is not', async () => {
    const world = worldOnMount('instances');
    execFileSync('mount', ['-o', 'remount,ro', world.tree.instancesPath]);
    const { removed, outcomes } = await pass(world);
    expect(removed).toBe(0);
    expect(outcomes.filter((text) => /^(RemovalFailed|TouchFailed) .*EROFS/.test(text))).toHaveLength(
      world.used.length + world.unused.length,
    );
    execFileSync('mount', ['-o', 'remount,rw', world.tree.instancesPath]);
    expect(await pass(world)).toMatchObject({ result: 'Succeeded', removed: world.unused.length });
    expect(damages(world)).toEqual([]);
  });

  it('should lose nothing when it is full and no lock file can be made, and be cleaned once there is room for one', async () => {
    const world = worldOnMount('instances', 'size=64m,nr_inodes=64');
    const fillers: string[] = [];
    while (statfsSync(world.tree.instancesPath).ffree > 0) {
      fillers.push(world.tree.path(`_base/filler-${fillers.length}`));
      writeFileSync(fillers.at(-1) ?? '', '');
    }
    const { removed, outcomes } = await pass(world);
    expect(removed).toBe(0);
    expect(outcomes.filter((text) => /^RemovalFailed .*ENOSPC/.test(text))).toHaveLength(world.unused.length);
    // Each lock file that can be made lets one base file go, whose inode the next lock file takes.
    rmSync(fillers[0] ?? '');
    const warned = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const { length } = world.unused;
    const written = await pass(world);
    expect(written).toMatchObject({ removed: length });
    // A ledger takes more inodes than one: each file is said on standard error before it goes.
    expect(written.unwritable).toEqual([expect.stringContaining(`${length} files went to make room, and the log alone has them`)]);
    expect(written.unrecordedFiles).toBe(length);
    for (const name of world.unused)
      expect(warned).toHaveBeenCalledWith(expect.stringMatching(`^A file goes without a record.*"name":"${name}".*ENOSPC`));
    for (const filler of fillers.slice(1)) rmSync(filler);
    expect(damages(world)).toEqual(world.unused.map((name) => expect.stringContaining(`${name} is gone, and no record`)));
    expect(leftOver(world)).toEqual([]);
  });

  it('should be cleaned when it has no byte left: that takes none', async () => {
    const world = worldOnMount('instances', 'size=2m');
    const filler = world.tree.path('filler');
    expect(() => writeFileSync(filler, Buffer.alloc(4 * 2 ** 20))).toThrow(/ENOSPC/);
    expect(statfsSync(world.tree.instancesPath).bavail).toBe(0);
    expect(await pass(world)).toMatchObject({ result: 'Succeeded', removed: world.unused.length });
    rmSync(filler);
    expect(damages(world)).toEqual([]);
    expect(existsSync(world.tree.path(`_base/${world.unused[0]}`))).toBe(false);
  });
});
