import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { PlannedFile } from '../../../src/model/plan.ts';
import type { Report } from '../../../src/model/report.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { createPass } from '../../../src/wire/pass.ts';
import { startLibvirtd, type Libvirtd } from '../../helpers/libvirtd.ts';

const NAME = 'instance-0000002a';
const UUID = '5f0e2c9a-0000-4000-8000-00000000002a';
const NOVA = `<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
<nova:flavor name="m1"><nova:swap>64</nova:swap><nova:ephemeral>1</nova:ephemeral></nova:flavor>
<nova:root type="image" uuid="image-of-metadata"/></nova:instance>`;

/** Only Nova's metadata names it. */
const ORIGINAL = cacheFileName('image-of-metadata');
const SWAP = 'swap_64';
/** Only the disk uses it. */
const BACKING = `${cacheFileName('image-of-disk')}_10485760`;
const BASE_FILES = [ORIGINAL, BACKING, SWAP];

let root: string;
let libvirtd: Libvirtd;
const inBase = (name: string): string => join(root, 'instances/_base', name);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'basekeeper-libvirtd-'));
  mkdirSync(join(root, 'instances', UUID), { recursive: true });
  for (const name of ['_base', 'locks']) mkdirSync(join(root, 'instances', name));
  for (const name of BASE_FILES) execFileSync('qemu-img', ['create', '-q', '-f', 'raw', inBase(name), '10M']);
  const disk = join(root, 'instances', UUID, 'disk');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', inBase(BACKING), disk]);
  // What no VM is in is what a broken configuration gives; here it is what somebody meant.
  writeFileSync(join(root, 'workloads.yaml'), 'workloads: []\n');
  libvirtd = await startLibvirtd();
  await libvirtd.define({ name: NAME, uuid: UUID, disk, metadata: NOVA });
});
afterAll(async () => {
  await libvirtd.stop();
  rmSync(root, { recursive: true, force: true });
});

/** One enforcing pass over base files that all have been unused for days, and one file that nothing ever used. */
async function pass(): Promise<{ left: string[]; report: Report }> {
  const unused = cacheFileName('unused');
  writeFileSync(inBase(unused), 'x');
  const threeDaysAgo = Date.now() / 1000 - 3 * 86_400;
  for (const name of readdirSync(join(root, 'instances/_base'))) utimesSync(inBase(name), threeDaysAgo, threeDaysAgo);
  const off = { enabled: false };
  const text = JSON.stringify({
    mode: 'enforce',
    nodeName: 'node-1',
    instancesPath: join(root, 'instances'),
    allowEmptyInventory: true,
    annotations: false,
    events: false,
    sources: {
      pods: off,
      virtualMachineInstances: off,
      file: { path: join(root, 'workloads.yaml') },
      libvirt: { enabled: true, statusPath: libvirtd.statusPath, definitionsPath: libvirtd.definitionsPath },
    },
  });
  const { config, errors } = loadConfig({ text });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  const wired = await createPass(config);
  try {
    const report = await wired.runPass({ dryRun: false });
    // The pass did remove what nobody uses: what is left is left on purpose.
    expect(report.gate).toMatchObject({ open: true });
    expect(fileOf(report, unused)).toMatchObject({ outcome: 'removed' });
    return { left: readdirSync(join(root, 'instances/_base')).toSorted(), report };
  } finally {
    await wired.close();
  }
}

function fileOf(report: Report, name: string): PlannedFile | undefined {
  return [...report.files].find((file) => file.name === name);
}

// One life of a VM, in order: each step stands on the one before.
describe('the base files of a real domain of a real libvirtd', () => {
  it('should stay while it runs, with no other source that knows it', async () => {
    await libvirtd.virsh('start', NAME);
    expect(readdirSync(libvirtd.statusPath)).toContain(`${NAME}.xml`);
    const { left, report } = await pass();
    expect(left).toEqual(BASE_FILES.toSorted());
    for (const name of BASE_FILES) {
      const file = fileOf(report, name);
      expect([file?.reason, file?.usedBy[0]?.by]).toEqual(['ReferencedByWorkload', NAME]);
    }
  });

  it('should stay while it runs and nothing defines it any more', async () => {
    await libvirtd.virsh('undefine', NAME);
    expect(readdirSync(libvirtd.definitionsPath)).not.toContain(`${NAME}.xml`);
    expect((await pass()).left).toEqual(BASE_FILES.toSorted());
  });

  it('should stay while it is defined and does not run', async () => {
    const disk = join(root, 'instances', UUID, 'disk');
    await libvirtd.define({ name: NAME, uuid: UUID, disk, metadata: NOVA });
    await libvirtd.virsh('destroy', NAME);
    expect(readdirSync(libvirtd.statusPath)).not.toContain(`${NAME}.xml`);
    expect((await pass()).left).toEqual(BASE_FILES.toSorted());
  });

  it('should go once it is undefined, but for the one that its disk still stands on', async () => {
    await libvirtd.virsh('undefine', NAME);
    const { left, report } = await pass();
    expect(left).toEqual([BACKING]);
    expect(fileOf(report, BACKING)).toMatchObject({ reason: 'BackingFileOfOverlay' });
  });

  it('should all go once its directory is gone as well', async () => {
    rmSync(join(root, 'instances', UUID), { recursive: true });
    expect((await pass()).left).toEqual([]);
  });
});
