import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Footprint } from '../../../src/model/scan.ts';
import { createBaseScanner } from '../../../src/scan/base-scanner.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';
import { asUnprivileged } from '../../helpers/unprivileged.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';

async function footprint({ instancesPath }: Tree): Promise<Footprint | undefined> {
  const options = { instancesPath, subdirectoryName: '_base', naming: 'strict', countsFootprint: true } as const;
  return (await createBaseScanner(options).scan()).footprint;
}

/** What `du` says of the base directory, in bytes. */
const du = (tree: Tree): number =>
  Number(execFileSync('du', ['-sx', '--block-size=1', tree.path('_base')], { encoding: 'utf8' }).split('\t')[0]);

function put(tree: Tree, path: string, kibibytes: number): void {
  writeFileSync(tree.path(path), Buffer.alloc(kibibytes * 1024, 1));
}

/** A cache with a base file, a sparse one, a trash, and what we do not understand. */
function cache(): Tree {
  const tree = buildTree({ [`_base/${SHA1}`]: { content: 'x'.repeat(100_000) }, '_base/sparse': { content: 'x', sizeBytes: 2 ** 30 } });
  mkdirSync(tree.path('_base/.basekeeper-trash/deep'), { recursive: true });
  put(tree, '_base/.basekeeper-trash/foreign', 64);
  put(tree, '_base/.basekeeper-trash/deep/deeper', 128);
  put(tree, '_base/not-ours.qcow2', 256);
  symlinkSync('/usr', tree.path('_base/link'));
  return tree;
}

describe('what a cache takes', () => {
  it('should be what du says: trash, foreign files and directories as well, links not followed', async () => {
    using tree = cache();
    expect(await footprint(tree)).toEqual({ bytes: du(tree), unseenEntries: 0, freeNothing: new Set() });
  });

  it('should count a file with several names once, and name it', async () => {
    using tree = cache();
    linkSync(tree.path(`_base/${SHA1}`), tree.path('_base/.basekeeper-trash/again'));
    linkSync(tree.path('_base/not-ours.qcow2'), tree.path('elsewhere'));
    const inodes = [`_base/${SHA1}`, '_base/not-ours.qcow2'].map((path) => lstatSync(tree.path(path), { bigint: true }));
    const freeNothing = new Set(inodes.map(({ dev, ino }) => `${dev}:${ino}`));
    expect(await footprint(tree)).toEqual({ bytes: du(tree), unseenEntries: 0, freeNothing });
  });

  it('should leave out what is mounted into it from elsewhere', async () => {
    using tree = cache();
    mkdirSync(tree.path('_base/mounted'));
    execFileSync('mount', ['-t', 'tmpfs', 'basekeeper-test', tree.path('_base/mounted')]);
    try {
      put(tree, '_base/mounted/large', 1024);
      expect((await footprint(tree))?.bytes).toBe(du(tree));
    } finally {
      execFileSync('umount', [tree.path('_base/mounted')]);
    }
  });

  it('should say how much could not be looked at', async () => {
    using tree = cache();
    chmodSync(tree.path('_base/.basekeeper-trash/deep'), 0o700);
    const seen = await asUnprivileged(() => footprint(tree));
    expect(seen?.unseenEntries).toBe(1);
    expect(seen?.bytes).toBeLessThan(du(tree));
  });

  it('should be nothing where there is no cache, and not be asked for where there is no budget', async () => {
    using tree = buildTree({ 'vm-1/disk': { content: 'x' } });
    rmSync(tree.path('_base'), { recursive: true });
    expect(await footprint(tree)).toEqual({ bytes: 0, unseenEntries: 0, freeNothing: new Set() });
    const { instancesPath } = tree;
    expect((await createBaseScanner({ instancesPath, subdirectoryName: '_base', naming: 'strict' }).scan()).footprint).toBeUndefined();
  });
});
