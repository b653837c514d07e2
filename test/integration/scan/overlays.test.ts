import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Overlay, OverlayScan } from '../../../src/model/overlay.ts';
import type { Clock } from '../../../src/model/ports.ts';
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
    using longest = treeOf(chain(32));
    expect(qemuChain(longest.path('vm/disk')).length).toBe(33);
    expect(await diskOf(longest)).toMatchObject({ state: 'ok', chain: { length: 32, 31: { baseName: SHA1 } } });
    using longer = treeOf(chain(33));
    expect(await diskOf(longer)).toMatchObject({ state: 'unreadable', chain: { length: 32 } });
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

  it.each(['qed', 'vmdk', 'vhdx', 'vdi', 'vpc', 'qcow', 'raw'])('should know that a %s disk without a parent is flat', async (format) => {
    using tree = treeOf({});
    qemuImg(['create', '-q', '-f', format, tree.path('vm/disk'), '10M']);
    expect(await diskOf(tree)).toMatchObject({ state: 'flat' });
  });

  it.each(['qed', 'qcow', 'vmdk'])('should follow the parent of a %s disk', async (format) => {
    using tree = treeOf({});
    const parent = tree.path(`_base/${SHA1}`);
    qemuImg(['create', '-q', '-f', format === 'vmdk' ? 'vmdk' : 'raw', parent, '10M']);
    qemuImg(['create', '-q', '-f', format, '-b', parent, '-F', format === 'vmdk' ? 'vmdk' : 'raw', tree.path('vm/disk')]);
    expect(await diskOf(tree)).toMatchObject({ state: 'ok', chain: [{ baseName: SHA1 }] });
  });
});

describe('createOverlayScanner on real directories', () => {
  it('should read headers by the path that the host has for them', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      'vm/disk': { qcow2: { backingFile: `/var/lib/nova/instances/_base/${SHA1}` } },
      'vm2/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
      'vm3/disk': { qcow2: { backingFile: `/elsewhere/_base/${SHA1}`, backingFormat: 'raw' } },
      'vm4/disk': { qcow2: { backingFile: '/elsewhere/image' } },
    });
    const { overlays } = await scanOf(tree, { hostInstancesPath: '/var/lib/nova/instances/' });
    expect(Object.fromEntries(overlays.map(({ path, state, chain }) => [path, [state, ...(chain[0]?.protects ?? [])]]))).toEqual({
      'vm/disk': ['ok', SHA1],
      // By its own name here it is no file of the host, but it is the same file.
      'vm2/disk': ['ok', SHA1],
      'vm3/disk': ['unknown-backing', SHA1],
      'vm4/disk': ['unreadable', 'image'],
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
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen).toEqual([]);
    expect(overlays).toMatchObject([{ instance: 'vm\udcff', path: 'vm\udcff/disk\udcfe', state: 'ok', chain: [{ baseName: SHA1 }] }]);
  });

  it('should protect what a link of the chain leads to, and the name of the link', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      [`_base/${SHA1}_10`]: { symlink: SHA1 },
      images: { symlink: '{instances}/_base' },
      'vm/ubuntu.img': { symlink: `../images/${SHA1}` },
      'vm/ubuntu.log': { symlink: `../images/${SHA1}` },
      'vm/disk': { qcow2: { backingFile: `../_base/${SHA1}_10`, backingFormat: 'raw' } },
      'vm2/disk': { qcow2: { backingFile: '../vm/ubuntu.img' } },
      'vm3/disk': { qcow2: { backingFile: `../images/../_base/${SHA1}` } },
    });
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen).toEqual([]);
    const seen = overlays.map(({ path, state, chain }) => [path, state, ...chain.flatMap(({ protects }) => protects)]);
    expect(seen.toSorted(([a = ''], [b = '']) => a.localeCompare(b))).toEqual([
      [`_base/${SHA1}_10`, 'ok', SHA1],
      ['vm/disk', 'ok', SHA1, `${SHA1}_10`],
      ['vm/ubuntu.img', 'ok', SHA1],
      ['vm/ubuntu.log', 'ok', SHA1],
      ['vm2/disk', 'ok', SHA1, 'ubuntu.img'],
      ['vm3/disk', 'ok', SHA1],
    ]);
  });

  it('should not open what a link or a header outside names, but know a base file by another of its names', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      'vm/root.qcow2': { symlink: '{instances}/../elsewhere/root.qcow2' },
      'vm/disk': { qcow2: { backingFile: '{instances}/../elsewhere/same.img', backingFormat: 'raw' } },
    });
    const elsewhere = `${tree.instancesPath}/../elsewhere`;
    mkdirSync(elsewhere);
    qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', tree.path(`_base/${SHA1}`), `${elsewhere}/root.qcow2`, '1M']);
    // As a bind mount would show it: the same inode under another name.
    linkSync(tree.path(`_base/${SHA1}`), `${elsewhere}/same.img`);
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen).toMatchObject([{ path: 'vm/root.qcow2', cause: 'NotFollowed' }]);
    expect(overlays).toMatchObject([{ path: 'vm/disk', state: 'ok', chain: [{ baseName: SHA1, protects: [SHA1, 'same.img'] }] }]);
  });

  it('should not take a file outside for the base file of its name where the host has one: it may be backed by another', async () => {
    const other = 'b'.repeat(40);
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      [`_base/${other}`]: {},
      'vm/disk': { qcow2: { backingFile: `{instances}/../elsewhere/_base/${other}`, backingFormat: 'qcow2' } },
    });
    const elsewhere = `${tree.instancesPath}/../elsewhere/_base`;
    expect(await scanOf(tree)).toMatchObject({ overlays: [{ state: 'ok', chain: [{ baseName: other }] }], unseen: [] });
    mkdirSync(elsewhere, { recursive: true });
    qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', tree.path(`_base/${SHA1}`), `${elsewhere}/${other}`, '1M']);
    const { overlays, unseen } = await scanOf(tree);
    expect(overlays).toMatchObject([{ path: 'vm/disk', state: 'unreadable', chain: [{ protects: [other] }] }]);
    expect(unseen).toMatchObject([{ path: 'vm/disk', message: expect.stringContaining('what the file itself is backed by is unknown') }]);
  });

  it('should read a disk that a source names wherever it lies, and say so where it is not there', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {} });
    const elsewhere = `${tree.instancesPath}-elsewhere`;
    mkdirSync(elsewhere);
    qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', tree.path(`_base/${SHA1}`), `${elsewhere}/disk`, '1M']);
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const disks = [`${elsewhere}/disk`, `${elsewhere}/gone`, tree.path('vm/disk')].map((path) => ({ path, by: 'vm-1' }));
    const { overlays, unseen } = await scanner.scan({ instanceNames: NONE, disks });
    expect(overlays).toMatchObject([{ instance: 'vm-1', path: `${elsewhere}/disk`, state: 'ok', chain: [{}, { baseName: SHA1 }] }]);
    expect(unseen).toMatchObject([
      { path: `${elsewhere}/gone`, cause: 'NotThere' },
      { path: 'vm/disk', cause: 'NotThere' },
    ]);
  });

  it('should say of a disk that a source names what keeps it from reading that', async () => {
    using tree = buildTree({ 'vm/monitor': { fifo: true }, 'vm/circle': { symlink: 'circle' } });
    const elsewhere = `${tree.instancesPath}-elsewhere`;
    mkdirSync(elsewhere);
    writeFileSync(`${elsewhere}/broken`, Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'));
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const disks = [tree.path('vm/monitor'), tree.path('vm/circle/disk'), `${elsewhere}/broken`].map((path) => ({ path, by: 'vm-1' }));
    const { unseen } = await scanner.scan({ instanceNames: NONE, disks });
    expect(unseen.map(({ path, cause }) => `${path} ${cause}`)).toEqual([
      'vm/circle NotFollowed',
      'vm/monitor NotAnImageFile',
      `${tree.path('vm/circle/disk')} NotFollowed`,
      `${elsewhere}/broken NotUnderstood`,
    ]);
  });

  it('should not miss firmware and kernels of the host, which need not be mounted here', async () => {
    using tree = buildTree({});
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const firmware = { path: '/nowhere/OVMF_CODE.fd', format: 'raw', by: 'vm-1' };
    const scan = async (isLoaded: boolean) => (await scanner.scan({ instanceNames: NONE, disks: [{ ...firmware, isLoaded }] })).unseen;
    expect([(await scan(true)).length, (await scan(false)).length]).toEqual([0, 1]);
  });

  it('should look for no image in a directory that a pod mounts, which is walked to anyway', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {}, 'vm/disk': { qcow2: { backingFile: `../_base/${SHA1}`, backingFormat: 'raw' } } });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const { overlays, unseen } = await scanner.scan({ instanceNames: NONE, disks: [{ path: tree.path('vm'), by: 'vm-1' }] });
    expect([overlays.map(({ path }) => path), unseen]).toEqual([['vm/disk'], []]);
  });

  it('should keep the base file that a raw disk names out of sight, and let no guest hold anything by that', async () => {
    using tree = buildTree({ [`_base/${SHA1}`]: {}, 'vm/disk': { qcow2: { backingFile: `/nowhere/${SHA1}`, backingFormat: 'qcow2' } } });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const scan = (format: string) => scanner.scan({ instanceNames: NONE, disks: [{ path: tree.path('vm/disk'), format, by: 'vm' }] });
    const [raw, believed] = [await scan('raw'), await scan('qcow2')];
    expect([raw.unseen.length, believed.unseen.map(({ path }) => path)]).toEqual([0, ['vm/disk']]);
    expect(raw.overlays.find(({ path }) => path === 'vm/disk')?.chain).toMatchObject([{ protects: [SHA1] }]);
  });

  it('should not take a disk for raw that one source opens as raw, and another one not', async () => {
    using tree = buildTree({ 'vm/disk': { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') } });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const disks = ['qcow2', 'raw'].map((format) => ({ path: tree.path('vm/disk'), format, by: `vm as ${format}` }));
    const { unseen } = await scanner.scan({ instanceNames: NONE, disks });
    expect(unseen.map(({ path }) => path)).toEqual(['vm/disk']);
  });

  it('should let the bytes of a copy that Nova makes for a snapshot hold nothing but what they name, and only there', async () => {
    const broken = { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') };
    const copy = 'snapshots/tmpab_12345/0123456789abcdef0123456789abcdef';
    const others = [`${copy}.delta`, 'snapshots/tmpab_12345/disk', `snapshots/${'a'.repeat(32)}`, `vm/tmpab_12345/${'a'.repeat(32)}`];
    const named = `snapshots/tmpzz_99999/${'b'.repeat(32)}`;
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      ...Object.fromEntries([copy, ...others].map((path) => [path, broken])),
      [named]: { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
    });
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen.map(({ path }) => path).toSorted()).toEqual(others.toSorted());
    expect(overlays.find(({ path }) => path === named)?.chain).toMatchObject([{ baseName: SHA1 }]);
  });

  it.each([
    ['nobody says that it is', {}, false, false],
    ['disk.info says that it is', { 'vm/disk.info': { content: '{"/var/lib/nova/instances/vm/disk": "raw"}' } }, false, true],
    ['disk.info says that it is qcow2', { 'vm/disk.info': { content: '{"/x/vm/disk": "qcow2"}' } }, false, false],
    ['disk.info is broken', { 'vm/disk.info': { content: '{"/x/vm/disk"' } }, false, false],
    ['a hypervisor opens it as raw', {}, true, true],
  ])('should let bytes that a raw disk begins with hold nothing where %s', async (_, info, named, isRaw) => {
    using tree = buildTree({ 'vm/disk': { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') }, ...info });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const disks = named ? [{ path: tree.path('vm/disk'), format: 'raw', by: 'vm' }] : [];
    const { overlays, unseen } = await scanner.scan({ instanceNames: NONE, disks });
    expect(overlays).toMatchObject([{ path: 'vm/disk', state: 'unreadable' }]);
    expect(unseen.map(({ path }) => path)).toEqual(isRaw ? [] : ['vm/disk']);
  });

  it.each([
    ['blkdebug::/srv/x', 'rebase the image'],
    ["json:{'driver':'raw','file':{'driver':'file','filename':'/srv/x'}}", 'rebase the image'],
    ['json:{"driver":"qcow2","backing":{"driver":"raw","file.filename":"/srv/x"},"file.filename":"/srv/y"}', 'rebase the image'],
    ['json:{"driver":"qcow2","data-file":{"driver":"file","filename":"/srv/x"},"file.filename":"/srv/y"}', 'rebase the image'],
    ['json:{"driver":"quorum","children":[],"vote-threshold":1}', 'rebase the image'],
    ['/srv/x', 'set hostInstancesPath'],
    ['/dev/null', 'set hostInstancesPath'],
    ['nbd://host/x', 'list it under ignore'],
  ])('should not tell people to repair an image whose reference QEMU understands: %s', async (reference, advice) => {
    using tree = buildTree({ 'vm/console.log': {}, '_base/x': {} });
    qemuImg(['create', '-q', '-f', 'qcow2', '-u', '-b', reference, '-F', 'qcow2', tree.path('vm/disk'), '1M']);
    qemuImg(['create', '-q', '-f', 'qcow2', '-u', '-b', reference, '-F', 'qcow2', tree.path('_base/upper'), '1M']);
    const { unseen } = await scanOf(tree);
    expect(unseen.map(({ path }) => path).toSorted()).toEqual(['_base/upper', 'vm/disk']);
    for (const { message } of unseen) {
      expect(message).toContain(advice);
      expect(message).not.toMatch(/repair|replace the file|ignore.*ignore/);
      expect(message).toMatch(/disk\.info beside it say raw|forceRawImages/);
    }
  });

  it('should tell people whose header is broken how to settle that, and of a device what it is', async () => {
    using tree = buildTree({ 'vm/disk': { content: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') } });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const { unseen } = await scanner.scan({ instanceNames: NONE, disks: [{ path: '/dev/null', by: 'vm-1' }] });
    expect(unseen).toMatchObject([
      { path: 'vm/disk', message: expect.stringMatching(/let disk\.info beside it say raw; else repair the image/) },
      { path: '/dev/null', cause: 'NotAnImageFile', message: expect.stringMatching(/device.*name an image file/) },
    ]);
    expect(unseen[1]?.message).not.toContain('mount');
  });

  it.each([
    ['nobody says that it is raw', {}, {}, false],
    ['Nova is configured to make raw ones', {}, { forceRawImages: true }, true],
    ['a disk says that it is raw', { 'vm/disk': { qcow2: { backingFile: `../_base/${SHA1}`, backingFormat: 'raw' } } }, {}, true],
  ])('should let the bytes of a broken base file hold what they may, where %s', async (_, disk, options, isRaw) => {
    using tree = buildTree({ [`_base/${SHA1}`]: { content: 'conectix' }, ...disk });
    const { unseen } = await scanOf(tree, options);
    expect(unseen.map(({ path }) => path)).toEqual(isRaw ? [] : [`_base/${SHA1}`]);
  });

  it('should take out of the unseen what the configuration ignores, visibly', async () => {
    using tree = buildTree({ outside: { symlink: '/srv/vm' }, 'vm/disk': { fifo: true } });
    const { unseen, ignored } = await scanOf(tree, { isIgnored: (path) => path === 'outside' });
    expect([unseen, ignored].map((entries) => entries.map(({ path }) => path))).toEqual([['vm/disk'], ['outside']]);
  });

  it('should say that it does not see behind a link which leads out, unless that leads nowhere or back', async () => {
    using tree = buildTree({
      'vm/disk': {},
      outside: { symlink: '/srv/vm' },
      dangling: { symlink: 'nowhere/at/all' },
      neighbour: { symlink: 'vm' },
      'absolute-neighbour': { symlink: '{instances}/vm' },
      circle: { symlink: 'circle' },
      'lost+found': { symlink: '/srv/vm' },
      'vm/console.log': { symlink: '/srv/vm/disk' },
      'vm/disk.info': { symlink: 'disk.info' },
    });
    const { unseen } = await scanOf(tree);
    expect(unseen.map(({ path, cause }) => `${path} ${cause}`).toSorted()).toEqual([
      'circle NotFollowed',
      'lost+found NotFollowed',
      'outside NotFollowed',
      'vm/console.log NotFollowed',
      'vm/disk.info NotFollowed',
    ]);
  });

  it('should excuse by its name only what cannot be read or understood, and tell base files from disks', async () => {
    using tree = buildTree({
      '_base/disk': { qcow2: {} },
      'lost+found/disk': { qcow2: {} },
      'vm/.zfs/disk': { qcow2: {} },
      'vm/disk': { qcow2: {} },
      'vm/serial.log': { qcow2: { backingFile: '../_base/disk' } },
      'vm/console.log': { content: Buffer.from('QFI\u00fb\0\0\0\u0003', 'latin1') },
    });
    const { overlays, baseImages, unseen } = await scanOf(tree);
    expect(overlays.map(({ path }) => path).toSorted()).toEqual([
      'lost+found/disk',
      'vm/.zfs/disk',
      'vm/console.log',
      'vm/disk',
      'vm/serial.log',
    ]);
    expect(overlays.find(({ path }) => path === 'vm/serial.log')).toMatchObject({ state: 'ok', chain: [{ baseName: 'disk' }] });
    expect(overlays.find(({ path }) => path === 'vm/console.log')).toMatchObject({ state: 'unreadable', declaredRawBy: 'its name' });
    expect([baseImages, unseen]).toEqual([[], []]);
  });

  it('should not overlook disks beside a base or lock directory that lies further down', async () => {
    using tree = buildTree({ 'cache/_base/disk': { qcow2: {} }, 'cache/disk': { qcow2: {} }, 'vm/disk': { qcow2: {} } });
    const { overlays } = await scanOf(tree, { subdirectoryName: 'cache/_base' });
    expect(overlays.map(({ path }) => path).toSorted()).toEqual(['cache/disk', 'vm/disk']);
  });

  it('should say that it does not enter a directory that lies too deep, nor look at links that it may not read', async () => {
    const deep = Array.from({ length: 18 }, (_, level) => `d${level}`);
    using tree = buildTree({
      [`${deep.join('/')}/disk`]: {},
      'listed/link': { symlink: 'disk' },
      listed: { directory: true, mode: 0o744 },
    });
    const { unseen } = await asUnprivileged(() => scanOf(tree));
    expect(unseen.map(({ path, cause }) => `${path} ${cause}`).toSorted()).toEqual([
      `${deep.slice(0, 17).join('/')} NotEntered`,
      'listed/link NotOpened',
    ]);
  });

  it('should say so where a directory never comes to rest', async () => {
    using tree = buildTree({ 'vm/disk': {} });
    const now = (): ReturnType<Clock['now']> => {
      writeFileSync(tree.path(`vm/${process.hrtime.bigint()}`), '');
      return systemClock.now();
    };
    const { unseen } = await scanOf(tree, { clock: { now } });
    expect(unseen).toMatchObject([{ path: 'vm', cause: 'Changing' }]);
  });

  it('should know files in the trash from base files', async () => {
    const entry = `${SHA1}.1700000000000`;
    using tree = buildTree({ [`_base/.basekeeper-trash/${entry}`]: { qcow2: { backingFile: `../${SHA1}`, backingFormat: 'raw' } } });
    const { overlays, baseImages } = await scanOf(tree);
    expect([overlays, baseImages]).toMatchObject([[], [{ name: entry, inTrash: true }]]);
  });

  it('should open no FIFO, and say so of one in the place of a disk', async () => {
    using tree = buildTree({ 'vm/disk': { fifo: true }, 'vm/disk.eph0': { qcow2: { backingFile: 'disk' } }, 'vm/monitor': { fifo: true } });
    const { overlays, unseen } = await scanOf(tree);
    expect(unseen.map(({ path, cause }) => `${path} ${cause}`).toSorted()).toEqual([
      'vm/disk NotAnImageFile',
      'vm/disk.eph0 NotUnderstood',
    ]);
    expect(overlays.find(({ path }) => path === 'vm/disk.eph0')).toMatchObject({
      state: 'unreadable',
      chain: [{ path: 'vm/disk', exists: true }],
    });
  });

  it('should say which files and directories it may not read, by any name, and go on', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: { qcow2: {}, mode: 0o600 },
      'closed/disk': {},
      closed: { directory: true, mode: 0o700 },
      'vm/disk': { qcow2: {}, mode: 0o600 },
      'vm/root.snap1': { qcow2: {}, mode: 0o600 },
      'vm/console.log': { content: 'boot', mode: 0o600 },
      'vm/disk.open': { qcow2: { backingFile: `../_base/${SHA1}` } },
    });
    const { overlays, unseen } = await asUnprivileged(() => scanOf(tree));
    expect(Object.fromEntries(unseen.map(({ path, cause }) => [path, cause]))).toEqual({
      [`_base/${SHA1}`]: 'NotOpened',
      closed: 'NotEntered',
      'vm/disk': 'NotOpened',
      'vm/root.snap1': 'NotOpened',
      'vm/disk.open': 'NotUnderstood',
    });
    for (const { message } of unseen) expect(message).toMatch(/CAP_DAC_READ_SEARCH|ignore/);
    expect(overlays).toMatchObject([
      { path: 'vm/disk.open', state: 'unreadable', message: expect.stringMatching(/^_base\/0d5e\w+: EACCES/) },
    ]);
  });

  it('should report a missing instances path', async () => {
    using tree = buildTree();
    rmSync(tree.instancesPath, { recursive: true });
    expect(await scanOf(tree)).toMatchObject({
      overlays: [],
      unseen: [{ path: '.', cause: 'NotEntered', message: expect.stringContaining('ENOENT') }],
    });
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
    const { overlays, unseen } = await scanOf(tree, { clock });
    // What changed while it was listed is listed again; the links are then seen for what they are.
    expect(overlays).toEqual([]);
    expect(new Set(unseen.map(({ cause }) => cause))).toEqual(new Set(['NotFollowed']));
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
