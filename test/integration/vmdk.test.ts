import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFileName } from '../../src/model/names.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';
import { addOldImage, emptyNode, passBesideAnotherVm } from '../helpers/real-images.ts';
import type { Tree } from '../helpers/tree.ts';

const BASE = `_base/${cacheFileName('an-image')}`;
const BEGIN = '# Disk DescriptorFile\nversion=1\n';
const IDS = 'CID=7e1e7e1e\nparentCID=ffffffff\ncreateType="twoGbMaxExtentFlat"\n';

function setUp(): Tree {
  const tree = emptyNode();
  addOldImage(tree, BASE);
  return tree;
}

/** Whether QEMU reads the image as it says, and a pass leaves the base file, whatever it says of the rest. */
async function expectKept(tree: Tree, open: () => unknown): Promise<void> {
  open();
  await passBesideAnotherVm(tree);
  expect(existsSync(tree.path(BASE))).toBe(true);
  open();
}

const NAME = `../_base/${basename(BASE)}`;
const EXTENTS: readonly (readonly [string, string])[] = [
  ['a plain line', `RW 2048 FLAT "${NAME}" 0\n`],
  ['a leading blank', ` RW 2048 FLAT "${NAME}" 0\n`],
  ['a leading tab', `\tRW 2048 FLAT "${NAME}" 0\n`],
  ['form feeds and vertical tabs', `\f\vRW\v2048\fFLAT "${NAME}" 0\n`],
  ['a plus sign', `RW +2048 FLAT "${NAME}" 0\n`],
  ['no blank after the number', `RW 2048FLAT "${NAME}" 0\n`],
  ['fields on several lines', `RW\n2048\nFLAT\n"${NAME}" 0\n`],
  ['a very long comment before', `${'# a comment\n'.repeat(6000)}RW 2048 FLAT "${NAME}" 0\n`],
];

describe('a base file that is an extent of a VMDK', () => {
  it.each(EXTENTS)('should be kept with %s', async (_, extent) => {
    const tree = setUp();
    writeFileSync(tree.path('vm-1/disk'), `${BEGIN}${IDS}${extent}`);
    await expectKept(tree, () => qemuImg(['info', '-U', tree.path('vm-1/disk')]));
  });

  it.each([
    ['a line that is no comment', 'foo\n'],
    ['bytes', '\x01\x02foo\n'],
    ['an indented comment', '   # c\nversion=2\n'],
    ['a long text', `${'# a comment\n'.repeat(400)}foo\n`],
  ])('should be kept where an image above says vmdk, and the descriptor begins with %s', async (_, begin) => {
    const tree = setUp();
    writeFileSync(tree.path('vm-1/middle'), `${begin}${IDS}RW 2048 FLAT "${NAME}" 0\n`);
    qemuImg(['create', '-q', '-u', '-f', 'qcow2', '-b', tree.path('vm-1/middle'), '-F', 'vmdk', tree.path('vm-1/disk'), '1M']);
    await expectKept(tree, () => expect(qemuChain(tree.path('vm-1/disk'))).toHaveLength(2));
  });

  it('should be kept where a sparse image has no sectors of its own', async () => {
    const tree = setUp();
    const header = Buffer.alloc(512);
    header.write('KDMV', 'latin1');
    header.writeUInt32LE(1, 4);
    header.writeBigUInt64LE(1n, 28);
    writeFileSync(tree.path('vm-1/disk'), Buffer.concat([header, Buffer.from(`${BEGIN}${IDS}RW 2048 FLAT "${NAME}" 0\n`)]));
    await expectKept(tree, () => qemuImg(['info', '-U', tree.path('vm-1/disk')]));
  });
});

describe('a VMDK with more extents than any image has', () => {
  it('should hold where it is an image, and not be read to its end', async () => {
    const tree = setUp();
    const many = Array.from({ length: 65 }, (_, n) => `RW 1 FLAT "extent-${n}" 0\n`).join('');
    writeFileSync(tree.path('vm-1/disk'), `${BEGIN}${IDS}${many}RW 2048 FLAT "${NAME}" 0\n`);
    const { unseen } = await passBesideAnotherVm(tree);
    expect(unseen).toMatchObject([{ path: 'vm-1/disk', message: expect.stringContaining('66 extents, of which 64 are read') }]);
    expect(existsSync(tree.path(BASE))).toBe(true);
  });
});

describe('a base file that is the parent of a VMDK', () => {
  it('should be kept though the ID says that there is no parent: QEMU goes by the name', async () => {
    const tree = setUp();
    mkdirSync(tree.path('vm-2'));
    qemuImg(['create', '-q', '-f', 'vmdk', tree.path(BASE), '1M']);
    qemuImg(['create', '-q', '-f', 'vmdk', '-b', tree.path(BASE), '-F', 'vmdk', tree.path('vm-2/disk')]);
    const bytes = readFileSync(tree.path('vm-2/disk'));
    const at = bytes.indexOf('parentCID=');
    bytes.write('parentCID=ffffffff', at, 'latin1');
    writeFileSync(tree.path('vm-2/disk'), bytes);
    const days = Date.now() / 1000 - 3 * 86_400;
    utimesSync(tree.path(BASE), days, days);
    await expectKept(tree, () => expect(qemuChain(tree.path('vm-2/disk'))).toHaveLength(2));
  });

  /** Moves what the header says of its descriptor; the text itself stays where QEMU looks for the parent. */
  function moveDescriptor(path: string, change: (bytes: Buffer, text: Buffer) => Buffer): void {
    const bytes = readFileSync(path);
    const begin = bytes.indexOf('# Disk DescriptorFile');
    writeFileSync(path, change(bytes, bytes.subarray(begin, bytes.indexOf(0, begin))));
  }

  /** `_base` has a VMDK of three days, and a disk is backed by it whose descriptor has been moved. */
  function setUpMoved(change: (bytes: Buffer, text: Buffer) => Buffer): Tree {
    const tree = setUp();
    mkdirSync(tree.path('vm-2'));
    qemuImg(['create', '-q', '-f', 'vmdk', tree.path(BASE), '1M']);
    qemuImg(['create', '-q', '-f', 'vmdk', '-b', tree.path(BASE), '-F', 'vmdk', tree.path('vm-2/disk')]);
    moveDescriptor(tree.path('vm-2/disk'), change);
    const days = Date.now() / 1000 - 3 * 86_400;
    utimesSync(tree.path(BASE), days, days);
    return tree;
  }

  /** The header says that this text, at the end of the file, is its descriptor. */
  function withDescriptorAtEnd(bytes: Buffer, text: Buffer): Buffer {
    const end = Math.ceil(bytes.length / 512);
    const moved = Buffer.concat([bytes, Buffer.alloc(end * 512 - bytes.length), text, Buffer.alloc(20 * 512)]);
    return withDescriptorAt(moved, end);
  }

  const MOVED: readonly (readonly [string, (bytes: Buffer, text: Buffer) => Buffer])[] = [
    ['at none', (bytes) => withDescriptorAt(bytes, 0)],
    ['where there are only zeros', (bytes) => withDescriptorAt(bytes, 40)],
    [
      'where another text says that there is no parent',
      (bytes, text) => {
        const alone = text
          .toString('latin1')
          .replace(/parentFileNameHint="[^"]*"\n/, '')
          .replace(/parentCID=\w+/, 'parentCID=ffffffff');
        return withDescriptorAtEnd(bytes, Buffer.from(alone, 'latin1'));
      },
    ],
  ];
  function withDescriptorAt(bytes: Buffer, sector: number): Buffer {
    const moved = Buffer.from(bytes);
    moved.writeBigUInt64LE(BigInt(sector), 28);
    return moved;
  }

  it.each(MOVED)(
    'should be kept where the header says that the descriptor is %s: QEMU looks at one place for the parent',
    async (_, change) => {
      const tree = setUpMoved(change);
      await expectKept(tree, () => expect(qemuChain(tree.path('vm-2/disk'))).toHaveLength(2));
    },
  );

  it('should be kept where the text that the header names has a parent, which QEMU does not read', async () => {
    const tree = setUpMoved((bytes, text) => withDescriptorAtEnd(bytes, text).fill(0, 512, 512 + text.length));
    // QEMU refuses such an image; VMware reads it.
    await expectKept(tree, () => expect(() => qemuChain(tree.path('vm-2/disk'))).toThrow('Invalid argument'));
  });

  it('should hold where QEMU and VMware would take two different parents', async () => {
    const tree = setUpMoved((bytes, text) => {
      const other = text.toString('latin1').replace(/parentFileNameHint="[^"]*"/, 'parentFileNameHint="/srv/other.vmdk"');
      return withDescriptorAtEnd(bytes, Buffer.from(other, 'latin1'));
    });
    const report = await passBesideAnotherVm(tree);
    expect(report.unseen).toMatchObject([{ path: 'vm-2/disk', message: expect.stringContaining('two parents') }]);
  });
});
