import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createOverlayScanner } from '../../../src/overlays/overlay-scanner.ts';
import type { OverlayScan } from '../../../src/model/overlay.ts';
import { buildTree, type Tree, type TreeSpec } from '../../helpers/tree.ts';
import { asUnprivileged } from '../../helpers/unprivileged.ts';

const SHA1 = '0d5e6b61602d758984b3bf038267614d6016eb2a';
const VM = '5f0e2c9a-0000-4000-8000-000000000001';
const overlay = { qcow2: { backingFile: `{instances}/_base/${SHA1}`, backingFormat: 'raw' } } as const;

/**
 * What Nova and libvirt leave, by their sources: `nova/virt/libvirt/driver.py` and `imagebackend.py` (disks, config drive, kernel, rescue,
 * `_resize`, `_del`), `storage_users.py` (`compute_nodes`), libvirt's `virlogmanager` (console logs and their rotations),
 * `qemu_tpm.c` and `qemu_nvram`, and what file systems and filers show beside them.
 */
const ORDINARY: TreeSpec = {
  [`_base/${SHA1}`]: { content: 'the image' },
  [`_base/${SHA1}_20`]: { qcow2: {} },
  '_base/swap_512': { content: 'swap' },
  '_base/ephemeral_20_40d1d2c': { content: 'ephemeral' },
  [`_base/${'b'.repeat(40)}.part`]: { content: Buffer.from('QFI\u00fb\0\0\0\u0003', 'latin1') },
  [`${VM}/disk`]: overlay,
  [`${VM}/disk.eph0`]: { qcow2: { backingFile: '{instances}/_base/ephemeral_20_40d1d2c', backingFormat: 'raw' } },
  [`${VM}/disk.swap`]: { qcow2: { backingFile: '{instances}/_base/swap_512', backingFormat: 'raw' } },
  [`${VM}/disk.config`]: { content: 'an ISO 9660 image' },
  [`${VM}/disk.info`]: { content: '{}' },
  [`${VM}/disk.rescue`]: overlay,
  [`${VM}/disk.config.rescue`]: { content: 'an ISO 9660 image' },
  [`${VM}/unrescue.xml`]: { content: '<domain/>' },
  [`${VM}/libvirt.xml`]: { content: '<domain/>' },
  [`${VM}/kernel`]: { content: 'MZ' },
  [`${VM}/ramdisk`]: { content: '\u001f\u008b' },
  [`${VM}/console.log`]: { content: 'boot' },
  [`${VM}/console.log.0`]: { content: 'boot' },
  [`${VM}/vtpm/tpm2-00.permall`]: { content: 'state' },
  [`${VM}/vtpm/.lock`]: { content: '' },
  [`${VM}/instance-00000001_VARS.fd`]: { content: 'variables' },
  [`${VM}_resize/disk`]: overlay,
  [`${VM}_del/disk`]: overlay,
  'empty-vm': { directory: true },
  compute_nodes: { content: '{"host-a": 1.0}' },
  locks: { directory: true },
  'locks/nova-storage-registry-lock': { content: '' },
  'lost+found': { directory: true },
  '.snapshot/hourly.0/vm/disk': overlay,
};

/** libvirt keeps these for itself while a VM runs; the console belongs to root. */
const PRIVATE = [
  `${VM}/console.log`,
  `${VM}/console.log.0`,
  `${VM}/vtpm/tpm2-00.permall`,
  `${VM}/vtpm/.lock`,
  `${VM}/instance-00000001_VARS.fd`,
];

function ordinaryTree(): Tree {
  const tree = buildTree(ORDINARY);
  const swtpmLog = tree.path(`${VM}/vtpm/swtpm.log`);
  writeFileSync(swtpmLog, 'log');
  for (const path of [...PRIVATE.map((name) => tree.path(name)), swtpmLog]) chmodSync(path, 0o600);
  chmodSync(tree.path('lost+found'), 0o700);
  if (process.getuid?.() === 0) for (const name of PRIVATE) chownSync(tree.path(name), 0, 0);
  return tree;
}

const scan = (tree: Tree): Promise<OverlayScan> =>
  createOverlayScanner({ instancesPath: tree.instancesPath, subdirectoryName: '_base', overlays: 'all' }).scan({
    instanceNames: new Set(),
  });

describe('what Nova and libvirt really leave in an instances directory', () => {
  it.each([
    ['root', (tree: Tree) => scan(tree)],
    ["Nova's user", (tree: Tree) => asUnprivileged(() => scan(tree))],
  ])('should have nothing unseen for %s', async (_who, look) => {
    using tree = ordinaryTree();
    const { overlays, unseen } = await look(tree);
    expect(unseen).toEqual([]);
    const standing = overlays.filter(({ state }) => state === 'ok').map(({ path }) => path);
    expect(standing.toSorted()).toEqual(
      [
        '.snapshot/hourly.0/vm/disk',
        `${VM}/disk`,
        `${VM}/disk.eph0`,
        `${VM}/disk.rescue`,
        `${VM}/disk.swap`,
        `${VM}_del/disk`,
        `${VM}_resize/disk`,
      ].toSorted(),
    );
  });
});
