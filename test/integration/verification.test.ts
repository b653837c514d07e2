import { execFileSync } from 'node:child_process';
import { openSync, closeSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Report } from '../../src/model/report.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { digestOf } from '../../src/report/digest.ts';
import { NO_TROUBLES, planEvents } from '../../src/report/events/plan-events.ts';
import { passOnTree } from '../helpers/pass-on-tree.ts';
import { qemuImg } from '../helpers/qemu-img.ts';
import { buildTree, DAY, type Tree, type TreeSpec } from '../helpers/tree.ts';

const SHA1 = cacheFileName('an-image');
const GIB = 2 ** 30;
const old = { ageSeconds: 2 * DAY };
const NODE = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'uid-1' };

function setUp(spec: TreeSpec): { tree: Tree; pass: (settings?: SettingsInput) => Promise<Report> } {
  const tree = buildTree({ ...spec, locks: { directory: true } });
  onTestFinished(tree.cleanup);
  const workloads = tree.path('../workloads.yaml');
  writeFileSync(workloads, 'workloads: [{name: vm, imageRef: an-image}]\n');
  return {
    tree,
    async pass(settings = { verify: { enabled: true } }) {
      return await passOnTree(tree, { workloads, settings: { forceRawImages: true, ...settings }, dryRun: true });
    },
  };
}

const mismatched = ({ findings }: Report) => findings.filter(({ type }) => type === 'BaseFileMismatch').map(({ file }) => file);

describe('verification of base files', () => {
  it('should find no fault with what qemu-img makes as Nova does', async () => {
    const { tree, pass } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'a raw image' } });
    qemuImg(['create', '-q', '-f', 'qcow2', tree.path(`_base/${SHA1}_20`), '20G']);
    qemuImg(['create', '-q', '-f', 'raw', tree.path(`_base/${SHA1}_${3 * GIB}`), '3G']);
    qemuImg(['create', '-q', '-f', 'raw', tree.path('_base/swap_64'), '64M']);
    qemuImg(['create', '-q', '-f', 'raw', tree.path('_base/ephemeral_1_40d1d2c'), '1G']);
    for (const name of [`${SHA1}_20`, `${SHA1}_${3 * GIB}`, 'swap_64', 'ephemeral_1_40d1d2c']) age(tree, name);
    const report = await pass();
    expect([mismatched(report), report.verification]).toEqual([[], { files: 5, unreadableFiles: 0, mismatchedFiles: 0 }]);
  });

  it('should name in a finding and in an event what is not what it is called, and decide as if it had not looked', async () => {
    const { tree, pass } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'a raw image' }, '_base/README': { ...old, content: '' } });
    const [resized, corrupt] = [`${SHA1}_20`, cacheFileName('corrupt')];
    qemuImg(['create', '-q', '-f', 'qcow2', tree.path(`_base/${resized}`), '19G']);
    qemuImg(['create', '-q', '-f', 'qcow2', tree.path(`_base/${corrupt}`), '1G']);
    setIncompatibleFeature(tree.path(`_base/${corrupt}`), 2);
    const broken = cacheFileName('broken');
    tree.add({ [`_base/${broken}`]: { content: Buffer.from('QFI\u00fb\0\0\0\u0009', 'latin1') }, '_base/swap_64': { sizeBytes: 5 } });
    for (const name of [resized, corrupt, broken, 'swap_64']) age(tree, name);
    const report = await pass();
    expect(mismatched(report).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual(
      [resized, corrupt, broken, 'swap_64'].toSorted((a, b) => a.localeCompare(b)),
    );
    expect(report.verification).toEqual({ files: 5, unreadableFiles: 0, mismatchedFiles: 4 });
    const unverified = await pass({});
    expect(unverified.verification).toBeUndefined();
    expect([...report.files].map(({ name, reason }) => [name, reason])).toEqual(
      [...unverified.files].map(({ name, reason }) => [name, reason]),
    );
    const { events } = planEvents({ report, digest: digestOf(report), node: NODE, memory: NO_TROUBLES, reminderSeconds: 3600 });
    expect(events.map(({ reason, note }) => [reason, note])).toEqual([
      ['BaseFileMismatch', expect.stringMatching(/^4 base files not what they should be: /)],
    ]);
  });

  it('should leave alone what may still be copied, and change no time of access', async () => {
    const { tree, pass } = setUp({ [`_base/${SHA1}_20`]: { ageSeconds: 60, sizeBytes: 5 }, [`_base/${SHA1}`]: { ...old, content: 'raw' } });
    const path = tree.path(`_base/${SHA1}`);
    const { atimeNs } = statSync(path, { bigint: true });
    expect(mismatched(await pass())).toEqual([]);
    expect(statSync(path, { bigint: true }).atimeNs).toBe(atimeNs);
  });

  it('should follow a file that changed between two passes', async () => {
    const { tree, pass } = setUp({ '_base/swap_64': { ...old, sizeBytes: 64 * 2 ** 20 } });
    expect(mismatched(await pass())).toEqual([]);
    truncateSync(tree.path('_base/swap_64'), 5);
    age(tree, 'swap_64');
    expect(mismatched(await pass())).toEqual(['swap_64']);
  });
});

function age(tree: Tree, name: string): void {
  execFileSync('touch', ['-d', '2 days ago', tree.path(`_base/${name}`)]);
}

/** Sets one bit of the incompatible features, at offset 72 of the header (docs/interop/qcow2.txt); QEMU's own bit for corruption is 1. */
function setIncompatibleFeature(path: string, bits: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([0, 0, 0, 0, 0, 0, 0, bits]), 0, 8, 72);
  closeSync(fd);
}
