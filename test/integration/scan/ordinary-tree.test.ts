import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OverlayScan } from '../../../src/model/overlay.ts';
import { inMountNamespaceOfHost } from '../../helpers/mount-namespace.ts';
import { buildTree, type Tree, type TreeSpec } from '../../helpers/tree.ts';

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
  [`${VM}/swtpm/${VM}/tpm2/tpm2-00.permall`]: { content: 'state' },
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

/** Nova gives itself what it moves out of libvirt's own directories (`save_and_migrate_vtpm_dir`). libvirt keeps these for itself while a VM runs; the console belongs to root. */
const PRIVATE = [
  `${VM}/console.log`,
  `${VM}/console.log.0`,
  `${VM}/vtpm/tpm2-00.permall`,
  `${VM}/vtpm/.lock`,
  `${VM}/instance-00000001_VARS.fd`,
];

function ordinaryTree(spec: TreeSpec = ORDINARY): Tree {
  const tree = buildTree(spec);
  for (const path of PRIVATE.filter((name) => name in spec)) chmodSync(tree.path(path), 0o600);
  if (process.getuid?.() === 0) for (const name of PRIVATE.filter((path) => path in spec)) chownSync(tree.path(name), 0, 0);
  return tree;
}

/** Puts a copy on a file system of its own, as an instances path often is, and scans that. `prepare` is a shell script in the copy. */
async function lookAt({ instancesPath }: Tree, who: 'root' | 'user', prepare = ''): Promise<OverlayScan> {
  const mounted = `${instancesPath}-mounted`;
  mkdirSync(mounted);
  const child = new URL('../../helpers/look-child.ts', import.meta.url).pathname;
  const script = `mount -t tmpfs none "$1"; cp -a "$2/." "$1"; (cd "$1"; ${prepare}\n); "$3" "$4" "$1" "$2" "$5"`;
  return JSON.parse(await inMountNamespaceOfHost(script, [mounted, instancesPath, process.execPath, child, who])) as OverlayScan;
}

const unseenIn = async (tree: Tree, who: 'root' | 'user', prepare: string): Promise<readonly string[]> =>
  (await lookAt(tree, who, prepare)).unseen.map(({ path }) => path);

describe('what Nova and libvirt really leave in an instances directory', () => {
  it.each([
    ['root', 'root'],
    ["Nova's user", 'user'],
  ] as const)('should have nothing unseen for %s', async (_, who) => {
    using tree = ordinaryTree();
    const { overlays, unseen } = await lookAt(tree, who, 'chmod 700 lost+found');
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

describe.skipIf(process.geteuid?.() !== 0)('what only looks like that, for a user who is not root (the test needs root to make it)', () => {
  it.each([
    ['lies further down', 'mkdir -p vm/lost+found; chmod 700 vm/lost+found', ['vm/lost+found']],
    ["is not root's", 'mkdir -m 700 lost+found; chown 64055 lost+found', ['lost+found']],
    ['its group may enter', 'mkdir -m 750 lost+found; chgrp 64055 lost+found', ['lost+found']],
    ['is a file system of its own', 'mkdir lost+found; mount -t tmpfs -o mode=700 none lost+found', ['lost+found']],
    ['is at the root of a second file system', 'mkdir vm; mount -t tmpfs none vm; mkdir -m 700 vm/lost+found', []],
    ['is in a directory that is mounted over itself', 'mkdir vm; mount --bind vm vm; mkdir -m 700 vm/lost+found', ['vm/lost+found']],
  ])('should count lost+found as unseen where it may hold a disk: it %s', async (_, prepare, unseen) => {
    using tree = buildTree({});
    expect(await unseenIn(tree, 'user', prepare)).toEqual(unseen);
  });

  it.each([
    ["root's alone", 'chmod 600 vm/console.log', []],
    ["another user's", 'chmod 600 vm/console.log; chown 64055 vm/console.log', ['vm/console.log']],
    ["root's, and a group may write it", 'chmod 620 vm/console.log', ['vm/console.log']],
    ["root's, with a second name", 'chmod 600 vm/console.log; ln vm/console.log vm/second', ['vm/console.log', 'vm/second']],
    ["root's, under a name of no daemon", 'chmod 600 vm/console.log; mv vm/console.log vm/root.log', ['vm/root.log']],
    ["root's, under the name of a file of Nova's", 'chmod 600 vm/console.log; mv vm/console.log vm/disk.info', ['vm/disk.info']],
    ["root's, in the base directory", 'chmod 600 vm/console.log; mv vm/console.log _base', ['_base/console.log']],
  ])('should count a console as unseen that may be a disk: it is %s', async (_, prepare, unseen) => {
    using tree = buildTree({ 'vm/console.log': { content: 'boot' } });
    expect((await unseenIn(tree, 'user', prepare)).toSorted()).toEqual(unseen);
  });

  it.each(['.snapshot', '.snapshots', '.zfs', 'nvram', 'tpm2', 'vtpm', 'locked'])('should count %s as unseen', async (name) => {
    using tree = buildTree({});
    expect(await unseenIn(tree, 'user', `mkdir -m 700 ${name}`)).toEqual([name]);
  });
});

describe('past states of a tree', () => {
  it.each([
    ['cannot change', 'mount -o remount,ro .snapshot', []],
    ['are only shown read-only here', 'mount -o remount,bind,ro .snapshot', ['.snapshot/disk']],
    ['can change', ':', ['.snapshot/disk']],
  ])('should not be entered where they %s', async (_, prepare, seen) => {
    using tree = buildTree({ disk: { qcow2: {} }, '.snapshot': { directory: true } });
    const { overlays, unseen } = await lookAt(tree, 'root', `mount -t tmpfs none .snapshot; cp disk .snapshot; ${prepare}`);
    expect(overlays.map(({ path }) => path).filter((path) => path !== 'disk')).toEqual(seen);
    expect(unseen).toEqual([]);
  });
});
