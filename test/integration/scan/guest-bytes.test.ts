import { describe, expect, it } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import { passOnTree } from '../../helpers/pass-on-tree.ts';
import { buildTree, type TreeSpec } from '../../helpers/tree.ts';

const [SHA1, OTHER] = ['0d5e6b61602d758984b3bf038267614d6016eb2a', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'];
const NONE: ReadonlySet<string> = new Set();
const info = (format: string): TreeSpec[string] => ({ content: JSON.stringify({ '/var/lib/nova/instances/vm/disk': format }) });

describe('a header that a guest may have written', () => {
  it.each([
    ['disk.info says raw', { 'vm/disk.info': info('raw') }, 'GuestBytes'],
    ['nobody says a format', {}, 'GuestBytes'],
    ['disk.info says qcow2', { 'vm/disk.info': info('qcow2') }, 'BackingFileMissing'],
  ])('should be reported as a lost disk only where no guest can write it: %s', async (_, spec, expected) => {
    using tree = buildTree({
      '_base/': { directory: true },
      '../w.yaml': { content: 'workloads: [{name: vm}]\n' },
      'vm/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
      ...spec,
    });
    const report = await passOnTree(tree, { workloads: tree.path('../w.yaml'), settings: {}, dryRun: true });
    expect(report.findings.map(({ type }) => type)).toEqual([expected]);
    expect(report.gate.open).toBe(true);
  });

  it('should keep the file that a raw disk names, and what that file stands on by its own header', async () => {
    using tree = buildTree({
      [`_base/${SHA1}`]: { qcow2: { backingFile: OTHER, backingFormat: 'raw' } },
      [`_base/${OTHER}`]: {},
      'vm/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}` } },
      'vm/disk.info': info('raw'),
    });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const { overlays, baseImages } = await scanner.scan({ instanceNames: NONE });
    const keptBy = (images: readonly { chain: readonly { protects: readonly string[] }[] }[]) =>
      images.flatMap(({ chain }) => chain.flatMap(({ protects }) => protects));
    expect([keptBy(overlays), keptBy(baseImages)]).toEqual([[SHA1, OTHER], [OTHER]]);
  });

  it.each([false, true])('should say nothing about the base file that it names, reached through a link or not: %s', async (linked) => {
    using tree = buildTree({
      [`_base/${SHA1}`]: { content: Buffer.from(`QFI\xfb${'x'.repeat(600)}`, 'latin1') },
      'store/real': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
      'store/disk.info': { content: JSON.stringify({ '/var/lib/nova/instances/store/real': 'raw' }) },
      ...(linked ? { 'vm/disk': { symlink: '../store/real' } } : {}),
    });
    const scanner = createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' });
    const { unseen } = await scanner.scan({ instanceNames: NONE });
    expect(unseen).toMatchObject([{ path: `_base/${SHA1}`, cause: 'NotUnderstood' }]);
  });

  it('should have no more names kept than there is room for, and hold where there is none', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `RW 1 FLAT "${'x'.repeat(400)}-${index}" 0\n`).join('');
    const vmdk = {
      content: `# Disk DescriptorFile\nversion=1\nCID=ffffffff\nparentCID=ffffffff\ncreateType="monolithicFlat"\n${names(60)}`,
    };
    using tree = buildTree({
      [`_base/${SHA1}`]: {},
      ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`vm-${index}/disk`, vmdk])),
      'a/disk': { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } },
    });
    const scan = async (nameBytes?: number) => {
      const options = { instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all', nameBytes } as const;
      const { overlays, unseen } = await createOverlayScanner(options).scan({ instanceNames: NONE });
      const length = overlays.flatMap(({ chain }) => chain).reduce((sum, { reference }) => sum + reference.length, 0);
      return { length, unseen: unseen.filter(({ message }) => message.includes('more than there is room for')).length };
    };
    const [all, bounded] = [await scan(), await scan(150_000)];
    expect(all).toMatchObject({ unseen: 0 });
    expect(all.length).toBeGreaterThan(20 * 60 * 400);
    expect(bounded.length).toBeLessThan(150_000);
    expect(bounded.unseen).toBeGreaterThan(10);
  });
});
