import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import type { Extra } from './features.ts';
import { sha } from './names.ts';
import type { SoundnessTree } from './tree.ts';

/** Builds what stands beside the standers. */
export function buildExtra(extra: Extra, tree: SoundnessTree, evidence: Evidence): void {
  const directory = join(tree.instances, `${sha(extra).slice(0, 8)}-2222-4222-8333-444455556666`);
  BUILDERS[extra]({ tree, evidence, directory, trap: (path) => tree.traps.add(path) });
}

interface Site {
  readonly tree: SoundnessTree;
  readonly evidence: Evidence;
  readonly directory: string;
  readonly trap: (path: string) => void;
}

const BUILDERS: Readonly<Record<Extra, (site: Site) => void>> = {
  ordinary({ tree, directory }) {
    for (const name of ['console.log', 'console.log.0', 'disk.info', 'libvirt.xml', 'unrescue.xml']) tree.text(join(directory, name), '{}');
    for (const name of ['kernel', 'ramdisk', 'disk.config', 'disk.swap']) tree.plain(join(directory, name), 'raw');
  },
  surroundings({ tree }) {
    tree.directory(join(tree.instances, 'lost+found'));
    tree.directory(join(tree.instances, 'snapshots'));
    tree.text(join(tree.instances, 'compute_nodes'), '{}');
  },
  flat({ tree, directory }) {
    tree.plain(join(directory, 'disk'), 'qcow2');
    for (const format of ['vmdk', 'vpc', 'vdi', 'luks']) tree.plain(join(directory, `disk.${format}`), format);
  },
  network({ tree, directory }) {
    tree.overlay(join(directory, 'disk'), 'nbd://255.255.255.255:1/export', 'qcow2', 'raw');
  },
  tampered({ tree, directory }) {
    const disk = join(directory, 'disk');
    tree.text(disk, `QFI${'x'.repeat(600)}`);
    tree.text(join(directory, 'disk.info'), JSON.stringify({ [disk]: 'raw' }));
  },
  hardLinkBase({ tree, directory }) {
    const base = tree.candidate(tree.plain(join(tree.base, sha('hard-linked')), 'raw'), undefined);
    tree.hardLink(join(directory, 'disk'), base);
  },
  chainOfUnused({ tree }) {
    const lower = tree.candidate(tree.plain(join(tree.base, sha('chain-0')), 'raw'), undefined);
    const middle = tree.candidate(tree.overlay(join(tree.base, sha('chain-1')), lower, 'qcow2', 'raw'), undefined);
    tree.candidate(tree.overlay(join(tree.base, sha('chain-2')), middle, 'qcow2', 'qcow2'), undefined);
  },
  rawTwins({ tree }) {
    for (const [name, byte] of [
      ['twin-1', 0xff],
      ['twin-2', 0xfe],
    ] as const) {
      const base = tree.candidate(tree.plain(join(tree.base, sha(name)), 'raw'), undefined);
      tree.overlay(join(tree.instances, name, 'disk'), base, 'qcow2', 'raw');
      tree.rawNames.set(join(tree.instances, name), Buffer.from([...Buffer.from('twin-'), byte]));
    }
  },
  fifo({ tree, directory, trap }) {
    tree.fifo(join(directory, 'disk'));
    trap(join(directory, 'disk'));
  },
  dangling({ tree, directory, trap }) {
    trap(tree.link(join(directory, 'disk'), '../nothing/disk'));
  },
  broken({ tree, directory, trap }) {
    const disk = tree.overlay(join(directory, 'disk'), 'x', 'qcow2', 'raw');
    tree.overwrite(disk, 8, Buffer.alloc(8, 0xff));
    trap(disk);
  },
  loop({ tree, directory, trap }) {
    const one = join(directory, 'disk');
    const other = join(directory, 'disk.other');
    trap(tree.overlay(one, other, 'qcow2', 'qcow2'));
    trap(tree.overlay(other, one, 'qcow2', 'qcow2'));
  },
  missingBacking({ tree, directory, trap }) {
    trap(tree.overlay(join(directory, 'disk'), join(tree.instances, 'gone/root.qcow2'), 'qcow2', 'qcow2'));
  },
  outsideBacking({ tree, directory, trap }) {
    trap(tree.overlay(join(directory, 'disk'), join(tree.outside, 'gone/root.qcow2'), 'qcow2', 'qcow2'));
  },
  missingDisk({ evidence, directory, trap }) {
    const disk = join(directory, 'disk');
    evidence.domain('99999999-2222-4222-8333-444455556666', false, `<disk type='file'><source file='${disk}'/></disk>`);
    trap(disk);
  },
};
