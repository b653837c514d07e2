import { linkSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { basekeeper } from '../helpers/basekeeper.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../helpers/real-images.ts';
import type { Tree } from '../helpers/tree.ts';

const NAME = cacheFileName('an-image');
const TRASH = '_base/.basekeeper-trash';
const ON = { enabled: true, graceSeconds: 3600 };

/** A real image in the base directory, two days old. */
function setUp(name = `_base/${NAME}`): Tree {
  const tree = emptyNode();
  mkdirSync(tree.path(TRASH), { mode: 0o700 });
  addOldImage(tree, name);
  return tree;
}

/** The disk of an instance, backed by that file; returns its path. */
function overlay(tree: Tree, disk: string, backing: string): string {
  qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-b', tree.path(backing), '-F', 'raw', tree.path(disk), '1M']);
  return tree.path(disk);
}

const trashed = (tree: Tree): string[] => readdirSync(tree.path(TRASH));
const entryAt = (ageSeconds: number): string => `${TRASH}/${NAME}.${Date.now() - ageSeconds * 1000}`;

describe('a disk that names a file where it lies in the trash', () => {
  it.each<[string, SettingsInput]>([
    ['the trash is off', {}],
    ['the trash is on', { trash: ON }],
    ['nothing may be removed', { removeUnusedBaseImages: false }],
    ['it is pinned', { pins: { imageRefs: ['an-image'] } }],
  ])('should keep it where the base directory has the same file as well, and %s', async (_, settings) => {
    const tree = setUp();
    const entry = entryAt(60);
    linkSync(tree.path(`_base/${NAME}`), tree.path(entry));
    const disk = overlay(tree, 'vm-1/disk', entry);
    await passBesideAnotherVm(tree, settings);
    await passBesideAnotherVm(tree, settings);
    expect(qemuChain(disk)).toHaveLength(2);
  });

  it('should keep both names of a file while the gate is closed, and take the one in the trash away once it is open', async () => {
    const tree = setUp();
    const entry = entryAt(60);
    linkSync(tree.path(`_base/${NAME}`), tree.path(entry));
    utimesSync(tree.path(entry), new Date(), new Date());
    writeFileSync(tree.path('vm-1/disk'), Buffer.concat([Buffer.from('QFI\xfb\0\0\0\x63', 'latin1'), Buffer.alloc(504)]));
    expect((await passBesideAnotherVm(tree)).gate.open).toBe(false);
    expect(trashed(tree)).toHaveLength(1);
    await passBesideAnotherVm(tree, { ignore: ['vm-1/disk'] });
    expect([trashed(tree), readdirSync(tree.path('_base'))]).toEqual([[], ['.basekeeper-trash', NAME].toSorted()]);
  });

  it('should serve a disk that names it there and a disk that names it as a base file', async () => {
    const entry = entryAt(60);
    const tree = setUp(entry);
    const disks = [overlay(tree, 'vm-1/disk', entry), overlay(tree, 'vm-1/disk.eph0', `_base/${NAME}`)];
    expect((await passBesideAnotherVm(tree, { trash: ON })).trash?.files.at(0)).toMatchObject({
      reason: 'NeededAgain',
      outcome: 'restored',
    });
    await passBesideAnotherVm(tree, { trash: ON });
    expect(disks.map((disk) => qemuChain(disk).length)).toEqual([2, 2]);
  });

  it('should survive a restore by hand', async () => {
    const entry = entryAt(60);
    const tree = setUp(entry);
    const disk = overlay(tree, 'vm-1/disk', entry);
    const where = ['--instances-path', tree.instancesPath];
    expect((await basekeeper(['restore', NAME, ...where])).stdout).toBe(`restored ${NAME}\n`);
    expect((await basekeeper(['restore', '--list', ...where])).stdout).toBe('');
    await passBesideAnotherVm(tree);
    expect(qemuChain(disk)).toHaveLength(2);
  });
});

describe('places that only this program uses', () => {
  it.each(['_base/.basekeeper-checksums', '_base/.basekeeper-checksums/below', TRASH])(
    'should hold no image that protects nothing: %s',
    async (place) => {
      const tree = setUp();
      mkdirSync(tree.path(place), { recursive: true });
      const disk = overlay(tree, `${place}/disk`, `_base/${NAME}`);
      await passBesideAnotherVm(tree);
      expect(qemuChain(disk)).toHaveLength(2);
    },
  );

  it('should never lose a lock file that has bytes to removeLockFiles', async () => {
    const tree = setUp();
    const lock = `locks/nova-${NAME}`;
    qemuImg(['create', '-q', '-f', 'raw', tree.path(lock), '1M']);
    const disk = overlay(tree, 'vm-1/disk', lock);
    await passBesideAnotherVm(tree, { removeLockFiles: true });
    expect([readdirSync(tree.path('_base')), qemuChain(disk).length]).toEqual([['.basekeeper-trash'], 2]);
  });
});
