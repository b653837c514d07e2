import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../helpers/real-images.ts';
import type { Tree } from '../helpers/tree.ts';

const BASE = `_base/${cacheFileName('an-image')}`;
const UNUSED = `_base/${cacheFileName('an-unused-image')}`;
const UUID = '11111111-2222-3333-4444-555555555555';

/** Two old base files. `ext/low`, outside, is a link to the first. */
function setUp(): Tree {
  const tree = emptyNode();
  for (const name of [BASE, UNUSED]) addOldImage(tree, name);
  link(tree, '../ext/low', tree.path(BASE));
  return tree;
}

function link(tree: Tree, path: string, target: string): void {
  mkdirSync(dirname(tree.path(path)), { recursive: true });
  symlinkSync(target, tree.path(path));
}

function overlay(tree: Tree, path: string, backing: string, format = 'raw'): void {
  mkdirSync(dirname(tree.path(path)), { recursive: true });
  qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', format, tree.path(path), '1M']);
}

/** Of libvirt, beside the file with workloads: a running domain with disks. */
function withDomain(tree: Tree, disks: readonly string[], driver = '<driver name="qemu" type="qcow2"/>'): SettingsInput {
  const sources = disks.map((disk) => `<disk type="file" device="disk">${driver}<source file="${disk}"/></disk>`);
  for (const name of ['etc', 'run']) mkdirSync(tree.path(`../${name}`));
  const xml = `<domain type="kvm"><name>vm-1</name><uuid>${UUID}</uuid><devices>${sources.join('')}</devices></domain>`;
  writeFileSync(tree.path('../etc/vm.xml'), xml);
  const off = { enabled: false };
  const libvirt = { enabled: true, statusPath: tree.path('../run'), definitionsPath: tree.path('../etc') };
  return { sources: { pods: off, virtualMachineInstances: off, file: { path: tree.path('../workloads.yaml') }, libvirt } };
}

/** An image below the instances path, and a link to it in `ext`, whose path is returned. */
function linkFromOutside(tree: Tree): string {
  overlay(tree, 'vm-1/disk', 'low');
  writeFileSync(tree.path('vm-1/low'), '');
  link(tree, '../ext/disk', tree.path('vm-1/disk'));
  return tree.path('../ext/disk');
}

/** By what name the disk is opened, and what else the pass is given. */
type Build = (tree: Tree) => { readonly disk: string; readonly settings?: SettingsInput };

const CASES: Readonly<Record<string, Build>> = {
  'a link to the image, at another depth': (tree) => {
    overlay(tree, 'store/x/y/real', '../../ext/low');
    link(tree, 'vm-1/disk', '../store/x/y/real');
    return { disk: tree.path('vm-1/disk') };
  },
  'such a link, where another file has that name beside the image': (tree) => {
    overlay(tree, 'store/x/y/real', '../../ext/low');
    mkdirSync(tree.path('store/ext'));
    writeFileSync(tree.path('store/ext/low'), '');
    link(tree, 'vm-1/disk', tree.path('store/x/y/real'));
    return { disk: tree.path('vm-1/disk') };
  },
  'a link to a link': (tree) => {
    overlay(tree, 'store/x/y/real', '../../ext/low');
    link(tree, 'store/x/second', 'y/real');
    link(tree, 'vm-1/disk', '../store/x/second');
    return { disk: tree.path('vm-1/disk') };
  },
  'a link in the middle of its chain': (tree) => {
    overlay(tree, 'store/x/y/middle', '../../ext/low');
    link(tree, 'vm-1/middle', '../store/x/y/middle');
    overlay(tree, 'vm-1/disk', 'middle', 'qcow2');
    return { disk: tree.path('vm-1/disk') };
  },
  'a link in the middle that is named by its whole path': (tree) => {
    overlay(tree, 'store/x/y/middle', '../../ext/low');
    link(tree, 'vm-2/middle', '../store/x/y/middle');
    overlay(tree, 'vm-1/disk', tree.path('vm-2/middle'), 'qcow2');
    return { disk: tree.path('vm-1/disk') };
  },
  'a link in a directory below the base directory': (tree) => {
    overlay(tree, '_base/s1/s2/middle', '../../../ext/low');
    link(tree, '_base/t/middle', '../s1/s2/middle');
    return { disk: tree.path('_base/t/middle') };
  },
  'a link that a domain names, outside': (tree) => {
    overlay(tree, '../pool/b/real', 'low');
    link(tree, '../ext/disk', '../pool/b/real');
    writeFileSync(tree.path('../pool/b/low'), '');
    return { disk: tree.path('../ext/disk'), settings: withDomain(tree, [tree.path('../ext/disk')]) };
  },
  'a link outside that a domain names, to an image below the instances path': (tree) => {
    const disk = linkFromOutside(tree);
    return { disk, settings: withDomain(tree, [tree.path('vm-1/disk'), disk]) };
  },
  'such a link, where the domain does not say what format it has': (tree) => {
    const disk = linkFromOutside(tree);
    return { disk, settings: withDomain(tree, [disk], '') };
  },
  'a link below the instances path to an image outside, which a domain names by its own name': (tree) => {
    overlay(tree, '../pool/a/b/real', '../../ext/low');
    mkdirSync(tree.path('../pool/ext'));
    writeFileSync(tree.path('../pool/ext/low'), '');
    link(tree, 'vm-1/disk', tree.path('../pool/a/b/real'));
    return { disk: tree.path('vm-1/disk'), settings: withDomain(tree, [tree.path('../pool/a/b/real')]) };
  },
};

describe('names in an image that is opened through a link', () => {
  it.each(Object.entries(CASES))('should count from the directory of the link: %s', async (_, build) => {
    const tree = setUp();
    const { disk, settings } = build(tree);
    const before = qemuChain(disk);
    const { gate } = await passBesideAnotherVm(tree, settings);
    expect(gate.reasons).toEqual([]);
    expect([existsSync(tree.path(BASE)), existsSync(tree.path(UNUSED))]).toEqual([true, false]);
    expect(qemuChain(disk)).toHaveLength(before.length);
  });

  it('should count from there for an extent of VMDK as well', async () => {
    const tree = setUp();
    const lines = ['# Disk DescriptorFile', 'version=1', 'CID=12345678', 'parentCID=ffffffff', 'createType="monolithicFlat"', ''];
    mkdirSync(tree.path('store/x/y'), { recursive: true });
    writeFileSync(tree.path('store/x/y/real'), [...lines, 'RW 2048 FLAT "../../ext/low" 0', ''].join('\n'));
    link(tree, 'vm-1/disk', '../store/x/y/real');
    qemuImg(['info', tree.path('vm-1/disk')]);
    await passBesideAnotherVm(tree);
    expect(existsSync(tree.path(BASE))).toBe(true);
    qemuImg(['info', tree.path('vm-1/disk')]);
  });

  it('should count from where QEMU was started for a data file of qcow2, which holds the pass', async () => {
    const tree = setUp();
    writeFileSync(tree.path('vm-1/low'), '');
    qemuImg(['create', '-q', '-f', 'qcow2', '-o', 'data_file=low,data_file_raw=on', tree.path('vm-1/disk'), '1M'], {
      cwd: tree.path('../ext'),
    });
    const { gate } = await passBesideAnotherVm(tree);
    expect(gate.reasons).toMatchObject([
      { reason: 'Unseen', message: expect.stringContaining('"low" is relative to the working directory of QEMU') },
    ]);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });

  it.each(['/proc/self/cwd/ext/low', '/proc/thread-self/cwd/ext/low', '/dev/fd/3', '../../self/cwd/ext/low'])(
    'should hold the pass where they lead through what each process finds otherwise: %s',
    async (name) => {
      const tree = setUp();
      link(tree, '../self', '/proc/self');
      overlay(tree, 'vm-1/disk', name);
      const { gate } = await passBesideAnotherVm(tree);
      expect(gate.reasons).toMatchObject([{ reason: 'Unseen', message: expect.stringContaining('leads through /proc') }]);
      expect(existsSync(tree.path(BASE))).toBe(true);
    },
  );
});
