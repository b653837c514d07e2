import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import { qemuImg } from '../../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../../helpers/real-images.ts';
import type { Tree } from '../../helpers/tree.ts';

const BASE = `_base/${'a'.repeat(40)}`;
const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0';
const off = { enabled: false };

/** A base file of two days, a link to it outside, and an image outside that is backed by it. */
function setUp(): Tree {
  const tree = emptyNode();
  addOldImage(tree, BASE);
  for (const name of ['etc/autostart', 'run', 'out']) mkdirSync(tree.path(`../${name}`), { recursive: true });
  symlinkSync(tree.path(BASE), tree.path('../out/link'));
  qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path(BASE), '-F', 'raw', tree.path('../out/disk')]);
  return tree;
}

const domain = (body: string): string =>
  `<domain type='kvm' xmlns:qemu='${QEMU}'><name>vm-1</name><uuid>1</uuid><devices/>${body}</domain>`;
const args = (...values: readonly string[]): string =>
  `<qemu:commandline>${values.map((value) => `<qemu:arg value='${value}'/>`).join('')}</qemu:commandline>`;

async function passWith(tree: Tree, body: string): Promise<Report> {
  const definition = domain(body).replaceAll('BASE', tree.path(BASE)).replaceAll('OUT', tree.path('../out'));
  writeFileSync(tree.path('../etc/vm-1.xml'), definition);
  return await pass(tree);
}

async function pass(tree: Tree): Promise<Report> {
  const libvirt = { enabled: true, statusPath: tree.path('../run'), definitionsPath: tree.path('../etc') };
  const file = { path: tree.path('../workloads.yaml') };
  return await passBesideAnotherVm(tree, { sources: { pods: off, virtualMachineInstances: off, file, libvirt } });
}

describe('a base file that a libvirt domain names for something else than a disk', () => {
  it.each([
    ['a memory device of the command line', args('-object', 'memory-backend-file,id=m,size=1M,mem-path=BASE,share=off')],
    ['a property that is JSON', args('-object', '{"qom-type":"memory-backend-file","mem-path":"BASE"}')],
    ['a link, on the command line', args('-object', 'memory-backend-file,id=m,mem-path=OUT/link,share=off')],
    ['a word of the command line', args('-smbios', 'type=11,path=BASE')],
    ['a link, in the environment of QEMU', "<qemu:commandline><qemu:env name='DISK' value='OUT/link'/></qemu:commandline>"],
    [
      'a link, in an overridden property',
      "<qemu:override><qemu:device alias='x'><qemu:frontend><qemu:property name='x-path' type='string' value='OUT/link'/></qemu:frontend></qemu:device></qemu:override>",
    ],
    ['the template of firmware variables', "<os><nvram template='BASE'>/nowhere/vm_VARS.fd</nvram></os>"],
    ['the template of a variable store, behind a link', "<os><varstore template='OUT/link' path='/nowhere/vm.json'/></os>"],
    ['a memory device', "<memory model='nvdimm'><source><path>BASE</path></source></memory>"],
    ['an ACPI table', "<os><acpi><table type='slic'>BASE</table></acpi></os>"],
  ])('should stay: %s', async (_, body) => {
    const tree = setUp();
    const { gate } = await passWith(tree, body);
    expect([existsSync(tree.path(BASE)), gate.reasons]).toEqual([true, []]);
  });

  it('should go where a domain names other files alone, which need not be there', async () => {
    const tree = setUp();
    const { gate } = await passWith(tree, args('-chardev', 'socket,path=/nowhere/socket', '-object', 'x,mem-path=OUT/other'));
    expect([existsSync(tree.path(BASE)), gate.reasons]).toEqual([false, []]);
  });

  it('should be held while a program that a domain runs may read it', async () => {
    const tree = setUp();
    const { gate } = await passWith(tree, args('-incoming', 'exec:/usr/bin/restore'));
    expect(existsSync(tree.path(BASE))).toBe(true);
    expect(gate.reasons).toMatchObject([{ reason: 'WorkloadIncomplete', message: expect.stringContaining('runs a program') }]);
  });
});

describe('a definition in the directory of links to domains that start by themselves', () => {
  it('should count where it is a file', async () => {
    const tree = setUp();
    const disk = `<disk type='file'><driver type='qcow2'/><source file='${tree.path('../out/disk')}'/></disk>`;
    writeFileSync(tree.path('../etc/autostart/vm-1.xml'), domain('').replace('<devices/>', `<devices>${disk}</devices>`));
    await pass(tree);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });

  it('should be left to the directory that it leads to where it is a link', async () => {
    const tree = setUp();
    symlinkSync('../vm-1.xml', tree.path('../etc/autostart/vm-1.xml'));
    const { gate } = await passWith(tree, '');
    expect([existsSync(tree.path(BASE)), gate.reasons]).toEqual([false, []]);
  });
});
