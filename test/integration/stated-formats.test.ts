import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../helpers/real-images.ts';
import type { Tree } from '../helpers/tree.ts';

const BASE = `_base/${cacheFileName('an-image')}`;
const UPPER = `_base/${cacheFileName('another-image')}`;
const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0';

/** A base file of two days. `vm-1/disk` stands on it through an image outside, which no source names and no pass reads. */
function setUp(): Tree {
  const tree = emptyNode();
  addOldImage(tree, BASE);
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(BASE), '-F', 'raw', tree.path('../middle')]);
  addImage(tree, 'vm-1/disk', '../middle', 'qcow2');
  for (const name of ['etc', 'run']) mkdirSync(tree.path(`../${name}`));
  return tree;
}

function addImage(tree: Tree, name: string, backingFile: string, format: string): void {
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(backingFile), '-F', format, tree.path(name)]);
}

/** What one place says. */
type Place = (tree: Tree) => void;

const domain = (uuid: string, devices: string, more = ''): string =>
  `<domain type='kvm' xmlns:qemu='${QEMU}'><name>vm-${uuid}</name><uuid>${uuid}</uuid><devices>${devices}</devices>${more}</domain>`;
const disk = (path: string, format: string | undefined): string =>
  `<disk type='file' device='disk'>${format === undefined ? '' : `<driver type='${format}'/>`}<source file='${path}'/></disk>`;

const definition =
  (format: string | undefined, uuid = '1', name = 'vm-1/disk'): Place =>
  (tree) =>
    writeFileSync(tree.path(`../etc/vm-${uuid}.xml`), domain(uuid, disk(tree.path(name), format)));
const status =
  (format: string, uuid = '1', name = 'vm-1/disk'): Place =>
  (tree) =>
    writeFileSync(tree.path(`../run/vm-${uuid}.xml`), `<domstatus>${domain(uuid, disk(tree.path(name), format))}</domstatus>`);
/** A domain whose command line names the disk, with or without a disk element that says raw. */
const commandLine =
  (option: (path: string) => readonly [string, string], uuid: string, devices?: string): Place =>
  (tree) => {
    const args = option(tree.path('vm-1/disk')).map((value) => `<qemu:arg value='${value}'/>`);
    const more = `<qemu:commandline>${args.join('')}</qemu:commandline>`;
    writeFileSync(
      tree.path(`../etc/vm-${uuid}.xml`),
      domain(uuid, devices === undefined ? '' : disk(tree.path('vm-1/disk'), devices), more),
    );
  };
const diskInfo =
  (...formats: readonly string[]): Place =>
  (tree) =>
    writeFileSync(tree.path('vm-1/disk.info'), JSON.stringify(Object.fromEntries(formats.map((format, at) => [`/${at}/disk`, format]))));

const drive = (path: string) => ['-drive', `file=${path},format=qcow2`] as const;
const probed = (path: string) => ['-drive', `file=${path}`] as const;
const blockdev = (path: string) =>
  ['-blockdev', `{"driver":"qcow2","file":{"driver":"file","filename":"${path}"}}`.replaceAll('"', '&quot;')] as const;

async function passOver(tree: Tree, settings: SettingsInput = {}) {
  const off = { enabled: false };
  const libvirt = { enabled: true, statusPath: tree.path('../run'), definitionsPath: tree.path('../etc') };
  const sources = { pods: off, virtualMachineInstances: off, file: { path: tree.path('../workloads.yaml') }, libvirt };
  return await passBesideAnotherVm(tree, { sources, ...settings });
}

describe('a disk whose format several places state', () => {
  it.each<readonly [string, readonly Place[]]>([
    ['the definition says raw, and the status qcow2', [definition('raw'), status('qcow2')]],
    ['the definition says qcow2, and the status raw', [definition('qcow2'), status('raw')]],
    ['one domain says raw, and another qcow2', [definition('raw'), definition('qcow2', '2')]],
    ['a domain says raw, and its command line qcow2', [commandLine(drive, '1', 'raw')]],
    ['a domain says raw, and the command line of another qcow2', [definition('raw'), commandLine(drive, '2')]],
    ['a domain says raw, and its command line lets QEMU find out', [commandLine(probed, '1', 'raw')]],
    ['a domain says raw, and its command line qcow2 in JSON', [commandLine(blockdev, '1', 'raw')]],
    ['disk.info says raw, and a command line qcow2', [diskInfo('raw'), commandLine(drive, '1')]],
    ['disk.info says raw, and a domain qcow2', [diskInfo('raw'), definition('qcow2')]],
    ['disk.info says raw, and a domain nothing', [diskInfo('raw'), definition(undefined)]],
    ['disk.info says qcow2, and a domain raw', [diskInfo('qcow2'), definition('raw')]],
    ['disk.info says both', [diskInfo('qcow2', 'raw')]],
    [
      'one domain says raw, and another qcow2 by the name of a link',
      [definition('raw'), (tree) => symlinkSync('disk', tree.path('vm-1/link')), status('qcow2', '2', 'vm-1/link')],
    ],
  ])('should hold what it may be backed by where %s', async (_, places) => {
    const tree = setUp();
    for (const say of places) say(tree);
    const { gate } = await passOver(tree);
    expect(gate.reasons.map(({ reason }) => reason)).toEqual(['Unseen']);
    expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(3);
  });

  it('should keep what a domain finds below it by another name outside, whatever disk.info says', async () => {
    const tree = setUp();
    linkSync(tree.path('vm-1/disk'), tree.path('../other'));
    for (const say of [diskInfo('raw'), definition('qcow2', '1', '../other')]) say(tree);
    await passOver(tree);
    expect(qemuChain(tree.path('../other'))).toHaveLength(3);
  });

  it.each<readonly [string, readonly Place[]]>([
    ['a definition and a status', [definition('raw'), status('raw')]],
    ['disk.info and a definition', [diskInfo('raw'), definition('raw')]],
    ['disk.info', [diskInfo('raw')]],
  ])('should hold nothing by what a guest wrote where all places say raw: %s', async (_, places) => {
    const tree = setUp();
    for (const say of places) say(tree);
    const { gate } = await passOver(tree);
    expect([gate.open, existsSync(tree.path(BASE))]).toEqual([true, false]);
  });

  it('should keep what a domain reads below it, whatever its name excuses', async () => {
    const tree = setUp();
    addImage(tree, 'vm-1/console.log', '../middle', 'qcow2');
    definition('qcow2', '1', 'vm-1/console.log')(tree);
    diskInfo('raw')(tree);
    await passOver(tree);
    expect(qemuChain(tree.path('vm-1/console.log'))).toHaveLength(3);
  });
});

describe('a base file whose format several places state', () => {
  const pinned = { pins: { fileNames: [UPPER.slice('_base/'.length)] } };

  it.each<readonly [string, Place, SettingsInput]>([
    ['a disk says raw', (tree) => addImage(tree, 'vm-1/disk.1', UPPER, 'raw'), {}],
    ['forceRawImages says raw', () => {}, { forceRawImages: true }],
  ])('should keep what it may be backed by where %s, and a domain something else', async (_, say, settings) => {
    const tree = setUp();
    addImage(tree, UPPER, '../middle', 'qcow2');
    diskInfo('raw')(tree);
    say(tree);
    const pass = () => passOver(tree, { ...pinned, ...settings });
    for (const format of [undefined, 'qcow2']) {
      definition(format, '1', UPPER)(tree);
      await pass();
      expect(qemuChain(tree.path(UPPER))).toHaveLength(3);
    }
    definition('raw', '1', UPPER)(tree);
    expect((await pass()).gate.open).toBe(true);
  });

  it.each(['vm-1/disk', 'vm-1/console.log'])('should be raw by the word of no guest: %s', async (name) => {
    const tree = setUp();
    addImage(tree, UPPER, '../middle', 'qcow2');
    addImage(tree, name, UPPER, 'raw');
    diskInfo('raw')(tree);
    expect((await passOver(tree, pinned)).gate.open).toBe(false);
    expect(qemuChain(tree.path(UPPER))).toHaveLength(3);
  });
});
