import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cacheFileName } from '../../src/model/names.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../helpers/real-images.ts';
import type { Tree } from '../helpers/tree.ts';

const BASE = `_base/${cacheFileName('an-image')}`;
const OFFSET = 65_536;

/** A base file of two days, and `q`, an image outside that is backed by it. */
function setUp(): Tree {
  const tree = emptyNode();
  addOldImage(tree, BASE);
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(BASE), '-F', 'raw', tree.path('../q')]);
  return tree;
}

/** Writes `q` into the file at an offset. */
function atOffset(tree: Tree, name: string): void {
  const image = readFileSync(tree.path('../q'));
  writeFileSync(tree.path(name), Buffer.concat([Buffer.alloc(OFFSET), image, Buffer.alloc(-image.length & 511)]));
}

const middle = (tree: Tree) => tree.path('vm-1/middle');

describe('a base file that is reached through a layer over another file', () => {
  const atAnOffset: readonly [string, (tree: Tree) => object][] = [
    ['an offset', (tree) => ({ file: { driver: 'raw', offset: OFFSET, file: { driver: 'file', filename: middle(tree) } } })],
    ['an offset in dotted keys', (tree) => ({ 'file.driver': 'raw', 'file.offset': `${OFFSET}`, 'file.file.filename': middle(tree) })],
  ];

  it.each(atAnOffset)('should never be removed while it is held for %s', async (_, layers) => {
    const tree = setUp();
    atOffset(tree, 'vm-1/middle');
    const reference = `json:${JSON.stringify({ driver: 'qcow2', ...layers(tree) })}`;
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', reference, '-F', 'qcow2', tree.path('vm-1/disk')]);
    expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
    const { gate } = await passBesideAnotherVm(tree);
    expect([gate.open, gate.reasons.map(({ reason }) => reason)]).toEqual([false, ['Unseen']]);
    expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
  });

  it.each(['qcow2', 'qcow', 'vdi', 'vhdx', 'vpc', 'vmdk'])(
    'should never be removed while it lies within an image of the format %s',
    async (format) => {
      const tree = setUp();
      qemuImg(['convert', '-f', 'raw', '-O', format, tree.path('../q'), middle(tree)]);
      const node = { driver: 'qcow2', file: { driver: format, file: { driver: 'file', filename: middle(tree) } } };
      qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-b', `json:${JSON.stringify(node)}`, '-F', 'qcow2', tree.path('vm-1/disk'), '1M']);
      expect((await passBesideAnotherVm(tree)).gate.open).toBe(false);
      expect(existsSync(tree.path(BASE))).toBe(true);
    },
  );

  it('should never be removed while a slice of a domain leads to it', async () => {
    const tree = setUp();
    atOffset(tree, 'vm-1/disk');
    for (const name of ['etc', 'run']) mkdirSync(tree.path(`../${name}`));
    writeFileSync(
      tree.path('../etc/vm.xml'),
      `<domain type="kvm"><name>vm-1</name><uuid>11111111-2222-3333-4444-555555555555</uuid><devices><disk type="file" device="disk">
       <driver name="qemu" type="qcow2"/><source file="${tree.path('vm-1/disk')}"><slices><slice type="storage" offset="${OFFSET}" size="196616"/></slices></source>
       <target dev="vda"/></disk></devices></domain>`,
    );
    const off = { enabled: false };
    const libvirt = { enabled: true, statusPath: tree.path('../run'), definitionsPath: tree.path('../etc') };
    const sources = { pods: off, virtualMachineInstances: off, file: { path: tree.path('../workloads.yaml') }, libvirt };
    const { gate } = await passBesideAnotherVm(tree, { sources });
    expect([gate.open, gate.reasons.map(({ reason }) => reason)]).toEqual([false, ['WorkloadIncomplete']]);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });

  it('should never be removed while a disk is backed by it under the name of a bind mount', async () => {
    const tree = setUp();
    writeFileSync(tree.path('vm-1/other-name'), '');
    execFileSync('mount', ['--bind', tree.path(BASE), tree.path('vm-1/other-name')]);
    onTestFinished(() => void execFileSync('umount', [tree.path('vm-1/other-name')]));
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path('vm-1/other-name'), '-F', 'raw', tree.path('vm-1/disk')]);
    await passBesideAnotherVm(tree);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });

  it('should never be removed while an overlayfs shows it below the instances path under another name', async () => {
    const tree = setUp();
    for (const name of ['upper', 'work']) mkdirSync(tree.path(`../${name}`));
    const [lower, upper, work] = [tree.path('_base'), tree.path('../upper'), tree.path('../work')];
    const options = `redirect_dir=on,metacopy=on,lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, tree.path('vm-1')]);
    onTestFinished(() => void execFileSync('umount', [tree.path('vm-1')]));
    renameSync(tree.path(`vm-1/${basename(BASE)}`), tree.path('vm-1/base.img'));
    mkdirSync(tree.path('vm-2'));
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', '../vm-1/base.img', '-F', 'raw', tree.path('vm-2/disk')]);
    const { unseen } = await passBesideAnotherVm(tree);
    expect(unseen).toMatchObject([{ path: 'vm-1', cause: 'NotFollowed', message: expect.stringContaining('an overlayfs') }]);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });

  it('should never be removed while a file system that lies in it is mounted below the instances path', async () => {
    const tree = setUp();
    execFileSync('/sbin/mkfs.ext2', ['-q', '-F', tree.path(BASE)]);
    const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
    mkdirSync(tree.path('vm-1/cd'));
    execFileSync('mount', ['-o', 'loop', tree.path(BASE), tree.path('vm-1/cd')]);
    onTestFinished(() => void execFileSync('umount', [tree.path('vm-1/cd')]));
    utimesSync(tree.path(BASE), twoDaysAgo, twoDaysAgo);
    const { unseen } = await passBesideAnotherVm(tree);
    expect(unseen).toMatchObject([{ path: 'vm-1/cd', cause: 'NotFollowed', message: expect.stringContaining('a loop device') }]);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });
});
