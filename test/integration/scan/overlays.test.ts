import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Overlay, OverlayScan } from '../../../src/model/overlay.ts';
import { createOverlayScanner, type OverlayScannerOptions } from '../../../src/overlays/overlay-scanner.ts';
import { qcow2Image } from '../../helpers/qcow2-image.ts';
import { qemuChain, qemuImg } from '../../helpers/qemu-img.ts';
import { buildTree, type Tree } from '../../helpers/tree.ts';
import { asUnprivileged } from '../../helpers/unprivileged.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const NONE: ReadonlySet<string> = new Set();

const scanOf = (tree: Tree, options: Partial<OverlayScannerOptions> = {}): Promise<OverlayScan> =>
  createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all', ...options }).scan({
    instanceNames: NONE,
  });

const diskOf = async (tree: Tree, options: Partial<OverlayScannerOptions> = {}): Promise<Overlay | undefined> =>
  (await scanOf(tree, options)).overlays.find(({ path }) => path === 'vm/disk');

/** A tree with a raw base image, and images made by qemu-img in the given directories. */
function treeOf(images: Readonly<Record<string, readonly string[]>>): Tree {
  const tree = buildTree({ [`_base/${SHA1}`]: { sizeBytes: 2 ** 20 }, 'vm/console.log': {} });
  for (const [path, args] of Object.entries(images)) {
    const directory = tree.path(path.slice(0, path.lastIndexOf('/')));
    mkdirSync(directory, { recursive: true });
    const expanded = args.map((arg) => arg.replaceAll('{instances}', tree.instancesPath));
    qemuImg(['create', '-q', '-f', 'qcow2', ...expanded, path.slice(path.lastIndexOf('/') + 1), '10M'], { cwd: directory });
  }
  return tree;
}

/** The path of a node as qemu-img names it: a path as it was spelled, or JSON. */
function fileOf(qemuName: string): string {
  return normalize(/"filename": ?"([^"]*)"/.exec(qemuName)?.[1] ?? qemuName.replace(/^file:/, ''));
}

describe('createOverlayScanner on chains made by qemu-img', () => {
  const BASE = `{instances}/_base/${SHA1}`;
  it.each<[string, Readonly<Record<string, readonly string[]>>]>([
    ['an absolute name', { 'vm/disk': ['-b', BASE, '-F', 'raw'] }],
    ['a relative name', { 'vm/disk': ['-b', `../_base/${SHA1}`, '-F', 'raw'] }],
    ['a name by file:', { 'vm/disk': ['-b', `file:${BASE}`, '-F', 'raw'] }],
    ['an odd spelling', { 'vm/disk': ['-b', `{instances}/vm/..//_base/./${SHA1}`, '-F', 'raw'] }],
    ['a json: name', { 'vm/disk': ['-b', `json:{"driver":"raw","file":{"driver":"file","filename":"${BASE}"}}`, '-F', 'raw'] }],
    ['a flat json: name', { 'vm/disk': ['-b', `json:{"driver":"raw","file.driver":"file","file.filename":"${BASE}"}`, '-F', 'raw'] }],
    ['version 2', { 'vm/disk': ['-o', 'compat=0.10', '-b', BASE, '-F', 'raw'] }],
    ['a snapshot beside the disk', { 'vm/disk.snap0': ['-b', BASE, '-F', 'raw'], 'vm/disk': ['-b', 'disk.snap0', '-F', 'qcow2'] }],
    [
      'a qcow2 base on another base',
      { [`_base/${SHA1}_10`]: ['-b', SHA1, '-F', 'raw'], 'vm/disk': ['-b', `{instances}/_base/${SHA1}_10`, '-F', 'qcow2'] },
    ],
    [
      'another directory in between, relative to itself',
      {
        'templates/deep/er/image': ['-b', `../../../_base/${SHA1}`, '-F', 'raw'],
        'vm/disk': ['-b', '../templates/deep/er/image', '-F', 'qcow2'],
      },
    ],
    ['nothing', { 'vm/disk': [] }],
  ])('should find what QEMU finds below a disk that names %s', async (_, images) => {
    using tree = treeOf(images);
    const overlay = await diskOf(tree);
    const [, ...below] = qemuChain(tree.path('vm/disk')).map(({ filename }) => filename);
    expect(overlay?.chain.map(({ path }) => path)).toEqual(below.map((name) => relative(tree.instancesPath, fileOf(name))));
    expect(overlay?.state).toBe(below.length === 0 ? 'flat' : 'ok');
  });

  it('should follow the longest chain that it allows, and call a longer one unreadable', async () => {
    const chain = (levels: number) =>
      Object.fromEntries(
        Array.from({ length: levels }, (_, level) => [
          level === levels - 1 ? 'vm/disk' : `vm/disk.${level}`,
          level === 0 ? ['-b', BASE, '-F', 'raw'] : ['-b', `disk.${level - 1}`, '-F', 'qcow2'],
        ]),
      );
    using eight = treeOf(chain(8));
    expect(qemuChain(eight.path('vm/disk')).length).toBe(9);
    expect(await diskOf(eight)).toMatchObject({ state: 'ok', chain: { length: 8, 7: { baseName: SHA1 } } });
    using nine = treeOf(chain(9));
    expect(await diskOf(nine)).toMatchObject({ state: 'unreadable', chain: { length: 8 } });
  });

  it('should see a cycle that a rebase made', async () => {
    using tree = treeOf({ 'vm/disk.a': [], 'vm/disk': ['-b', 'disk.a', '-F', 'qcow2'] });
    qemuImg(['rebase', '-u', '-b', 'disk', '-F', 'qcow2', tree.path('vm/disk.a')]);
    expect(() => qemuChain(tree.path('vm/disk'))).toThrow('infinite loop');
    expect(await diskOf(tree)).toMatchObject({ state: 'unreadable', message: expect.stringContaining('returns to vm/disk') });
  });

  it('should see that a backing file is gone', async () => {
    using tree = treeOf({ 'vm/disk': ['-b', BASE, '-F', 'raw'] });
    rmSync(tree.path(`_base/${SHA1}`));
    expect(await diskOf(tree)).toMatchObject({ state: 'missing-backing', chain: [{ baseName: SHA1, exists: false }] });
  });

  it('should protect both the backing file and the external data file', async () => {
    using tree = treeOf({ 'vm/disk': ['-o', 'data_file={instances}/_base/data', '-b', BASE, '-F', 'raw'] });
    const overlay = await diskOf(tree);
    expect(overlay?.state).toBe('ok');
    expect(overlay?.chain.map(({ baseName }) => baseName)).toEqual(['data', SHA1]);
  });

  it.each(['qed', 'vmdk', 'vhdx', 'qcow'])('should not take a %s disk for a flat one', async (format) => {
    using tree = treeOf({});
    qemuImg(['create', '-q', '-f', format, tree.path('vm/disk'), '10M']);
    expect(await diskOf(tree)).toMatchObject({ state: 'unreadable', message: expect.stringContaining(format) });
  });
});

describe('createOverlayScanner on real directories', () => {
  it('should read headers by the path that the host has for them', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      'vm/disk': { qcow2: { backingFile: `/var/lib/nova/instances/_base/${SHA1}` } },
      'vm2/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
      'vm3/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}` } },
    });
    const { overlays } = await scanOf(tree, { hostInstancesPath: '/var/lib/nova/instances/' });
    expect(Object.fromEntries(overlays.map(({ path, state }) => [path, state]))).toEqual({
      'vm/disk': 'ok',
      'vm2/disk': 'unknown-backing',
      'vm3/disk': 'unreadable',
    });
  });

  it('should know an instances path that is a symbolic link by both of its names', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {} });
    const link = `${tree.instancesPath}-link`;
    symlinkSync(tree.instancesPath, link);
    tree.add({
      'vm/disk': { qcow2: { backingFile: `${link}/_base/${SHA1}` } },
      'vm2/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}` } },
    });
    const { overlays } = await scanOf(tree, { instancesPath: link });
    expect(overlays.map(({ state }) => state)).toEqual(['ok', 'ok']);
  });

  it('should read disks in directories whose names are not UTF-8', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {} });
    const directory = Buffer.concat([Buffer.from(`${tree.instancesPath}/`), Buffer.from('vm\xff', 'latin1')]);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from('/disk\xfe', 'latin1')]), qcow2Image({ backingFile: `../_base/${SHA1}` }));
    const { overlays, problems } = await scanOf(tree);
    expect(problems).toEqual([]);
    expect(overlays).toMatchObject([{ instance: 'vm\ufffd', path: 'vm\ufffd/disk\ufffd', state: 'ok', chain: [{ baseName: SHA1 }] }]);
  });

  it('should not follow a base file that is a symbolic link', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: { symlink: '../elsewhere' },
      elsewhere: {},
      'vm/disk': { qcow2: { backingFile: `../_base/${SHA1}`, backingFormat: 'raw' } },
    });
    expect(await diskOf(tree)).toMatchObject({
      state: 'unreadable',
      message: `_base/${SHA1}: it is a symbolic link, which is not followed`,
    });
  });

  it('should not follow a directory of the chain that is a symbolic link', async () => {
    using tree = buildTree({
      'elsewhere/image': {},
      'vm/link': { symlink: '../elsewhere' },
      'vm/disk': { qcow2: { backingFile: 'link/image' } },
    });
    expect(await diskOf(tree)).toMatchObject({ state: 'unreadable', chain: [{ path: 'vm/link/image', exists: true }] });
  });

  it('should report links below the instances path unless they lead to a neighbour', async () => {
    using tree = buildTree({
      'vm/disk': {},
      outside: { symlink: '/srv/vm' },
      dangling: { symlink: 'nowhere/at/all' },
      neighbour: { symlink: 'vm' },
      'absolute-neighbour': { symlink: '{instances}/vm' },
    });
    const { problems } = await scanOf(tree);
    expect(Object.fromEntries(problems.map(({ path, code }) => [path, code]))).toEqual({ dangling: 'ELOOP', outside: 'ELOOP' });
  });

  it('should skip the base and lock directories, and lost+found', async () => {
    using tree = buildTree({
      '_base/disk': { qcow2: {} },
      'my-locks/disk': { qcow2: {} },
      'lost+found/disk': { qcow2: {} },
      'vm/disk': { qcow2: {} },
    });
    const { overlays } = await scanOf(tree, { locksPath: tree.path('my-locks') });
    expect(overlays.map(({ path }) => path)).toEqual(['vm/disk']);
  });

  it('should not overlook disks beside a base or lock directory that lies further down', async () => {
    using tree = buildTree({ 'cache/_base/disk': { qcow2: {} }, 'cache/disk': { qcow2: {} }, 'vm/disk': { qcow2: {} } });
    const { overlays } = await scanOf(tree, { subdirectoryName: 'cache/_base', locksPath: tree.path('vm/locks') });
    expect(overlays.map(({ path }) => path).toSorted()).toEqual(['cache/disk', 'vm/disk']);
  });

  it('should open no FIFO, and wait for none', async () => {
    using tree = buildTree({ 'vm/disk': { fifo: true }, 'vm/disk.eph0': { qcow2: { backingFile: 'disk' } }, 'vm/monitor': { fifo: true } });
    const { overlays, problems } = await scanOf(tree);
    expect(problems).toEqual([]);
    expect(overlays).toMatchObject([{ path: 'vm/disk.eph0', state: 'unreadable', chain: [{ path: 'vm/disk', exists: true }] }]);
  });

  it('should tell which disks and directories it may not read, and go on', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: { qcow2: {}, mode: 0o600 },
      'closed/disk': {},
      closed: { directory: true, mode: 0o700 },
      'vm/disk': { qcow2: {}, mode: 0o600 },
      'vm/console': { qcow2: {}, mode: 0o600 },
      'vm/disk.open': { qcow2: { backingFile: `../_base/${SHA1}` } },
    });
    const { overlays, problems } = await asUnprivileged(() => scanOf(tree));
    expect(problems).toMatchObject([{ path: 'closed', code: 'EACCES' }]);
    expect(Object.fromEntries(overlays.map(({ path, state, message }) => [path, `${state}: ${message}`]))).toEqual({
      'vm/disk': expect.stringMatching(/^unreadable: EACCES/),
      'vm/disk.open': expect.stringMatching(/^unreadable: _base\/0d5e\w+: EACCES/),
    });
  });

  it('should report a missing instances path', async () => {
    using tree = buildTree();
    rmSync(tree.instancesPath, { recursive: true });
    expect(await scanOf(tree)).toMatchObject({ overlays: [], problems: [{ path: '.', code: 'ENOENT' }] });
  });

  it('should take no offence at instances that vanish, and none for a link that takes the place of one', async () => {
    using tree = buildTree(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`vm${index}/disk`, { qcow2: {} }])));
    let readings = 0;
    const clock = {
      now: () => {
        readings += 1;
        // The second look at the clock is in the middle of the listing.
        if (readings === 2) {
          renameSync(tree.path('_base'), `${tree.instancesPath}-base`);
          for (const name of readdirSync(tree.instancesPath)) rmSync(tree.path(name), { recursive: true });
          for (let index = 0; index < 20; index += 1) symlinkSync('/etc', tree.path(`vm${index}`));
        }
        return { wallMs: 0, monotonicMs: 0 };
      },
    };
    const { overlays, problems } = await scanOf(tree, { clock });
    // What changed while it was listed is listed again; the links are then seen for what they are.
    expect(overlays).toEqual([]);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['ELOOP']));
  });

  it('should list a directory with thousands of files in slices', async () => {
    using tree = buildTree({ 'vm/disk': { qcow2: {} } });
    for (let index = 0; index < 3000; index += 1) writeFileSync(tree.path(`vm/${'x'.repeat(40)}${index}`), '');
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns += 1;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const { overlays } = await scanOf(tree, { clock: { now: () => ({ wallMs: 0, monotonicMs: 0 }) } });
    done = true;
    expect(overlays.length).toBe(1);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it('should keep no more headers than it was told to', async () => {
    using tree = buildTree(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`vm${index}/disk`, { qcow2: {} }])));
    const clock = { now: () => ({ wallMs: Date.now() + 60_000, monotonicMs: 0 }) };
    const scanner = createOverlayScanner({
      instancesPath: tree.instancesPath,
      subdirectoryName: '_base',
      overlays: 'all',
      headerCacheEntries: 4,
      clock,
    });
    await scanner.scan({ instanceNames: NONE });
    expect(await scanner.scan({ instanceNames: NONE })).toMatchObject({ headersRead: 6, headersCached: 4 });
  });

  it('should read again what was rebased in place', async () => {
    using tree = treeOf({ 'vm/disk': ['-b', `{instances}/_base/${SHA1}`, '-F', 'raw'] });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    await scanner.scan({ instanceNames: NONE });
    qemuImg(['rebase', '-u', '-b', '', tree.path('vm/disk')]);
    expect((await scanner.scan({ instanceNames: NONE })).overlays).toMatchObject([{ path: 'vm/disk', state: 'flat' }]);
  });
});
