import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HEAD_BYTES } from '../../../src/images/formats/format.ts';
import { parseImageHeader } from '../../../src/images/formats/formats.ts';
import { parseQcow2Header, type Qcow2Header } from '../../../src/images/formats/qcow2-header.ts';
import { qcow2Image, type Qcow2Spec } from '../../helpers/qcow2-image.ts';
import { qemuImg, qemuInfo } from '../../helpers/qemu-img.ts';
import { buildTree } from '../../helpers/tree.ts';

function parseFile(path: string): Qcow2Header {
  const file = readFileSync(path);
  const header = parseQcow2Header(file.subarray(0, HEAD_BYTES), (offset, length) => file.subarray(offset, offset + length));
  if (header.kind !== 'qcow2') throw new Error(header.message);
  return header;
}

/** Both readings of one image, in the same words. */
function bothReadings(path: string) {
  const header = parseFile(path);
  const info = qemuInfo(path);
  const data = info['format-specific']?.data;
  return {
    ours: {
      compat: header.version === 2 ? '0.10' : '1.1',
      size: header.virtualSizeBytes,
      clusterSize: header.clusterSizeBytes,
      backingFile: header.backingFile?.text,
      backingFormat: header.backingFormat,
      dataFile: header.dataFile?.text,
      corrupt: header.features.includes('corrupt'),
      extendedL2: header.features.includes('extendedL2'),
      compressionType: header.features.includes('compressionType') ? 'zstd' : 'zlib',
      unknown: header.unknownFeatures,
    },
    qemu: {
      compat: data?.compat,
      size: info['virtual-size'],
      clusterSize: info['cluster-size'],
      backingFile: info['backing-filename'],
      backingFormat: info['backing-filename-format'],
      dataFile: data?.['data-file'],
      corrupt: data?.corrupt ?? false,
      extendedL2: data?.['extended-l2'] ?? false,
      compressionType: data?.['compression-type'] ?? 'zlib',
      unknown: 0n,
    },
  };
}

describe('parseQcow2Header on images of qemu-img', () => {
  const DATA_FILE = 'data_file=data.raw';
  it.each<[string, readonly string[]]>([
    ['version 3', ['-o', 'compat=1.1']],
    ['version 2', ['-o', 'compat=0.10']],
    ['the smallest clusters', ['-o', 'cluster_size=512']],
    ['the largest clusters', ['-o', 'cluster_size=2M']],
    ['version 2 with a backing file', ['-o', 'compat=0.10', '-b', 'base', '-F', 'raw']],
    ['a backing file of declared format', ['-b', 'base', '-F', 'raw']],
    ['a backing file given by file:', ['-b', 'file:base', '-F', 'raw', '-u']],
    ['a backing file that does not exist', ['-b', '/nowhere/at/all', '-F', 'qcow2', '-u']],
    ['a backing file on the network', ['-b', 'nbd://127.0.0.1:1/export', '-F', 'raw', '-u']],
    ['a json: backing file', ['-b', 'json:{"driver":"raw","file":{"driver":"file","filename":"/nowhere"}}', '-F', 'raw', '-u']],
    ['a long backing file name', ['-b', `/${'directory/'.repeat(100)}image`, '-F', 'raw', '-u']],
    ['a backing file name in UTF-8', ['-b', '/bäse/ïmage-\u{1f600}', '-F', 'raw', '-u']],
    ['an external data file', ['-o', DATA_FILE]],
    ['an external data file and a backing file', ['-o', DATA_FILE, '-b', 'base', '-F', 'raw']],
    ['extended L2 entries', ['-o', 'extended_l2=on']],
    ['zstd compression', ['-o', 'compression_type=zstd']],
    ['lazy refcounts', ['-o', 'lazy_refcounts=on']],
    ['a huge virtual size', ['-o', 'cluster_size=2M,preallocation=off']],
  ])('should read what qemu-img reads from an image with %s', (description, args) => {
    using tree = buildTree({ 'vm/base': { sizeBytes: 2 ** 20 } });
    const size = description === 'a huge virtual size' ? '100T' : '10M';
    qemuImg(['create', '-q', '-f', 'qcow2', ...args, 'disk', size], { cwd: tree.path('vm') });
    const { ours, qemu } = bothReadings(tree.path('vm/disk'));
    expect(ours).toEqual(qemu);
  });

  it('should read an image with snapshots and bitmaps', () => {
    using tree = buildTree({ 'vm/base': { sizeBytes: 2 ** 20 } });
    const disk = tree.path('vm/disk');
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path('vm/base'), '-F', 'raw', disk, '10M']);
    qemuImg(['snapshot', '-c', 'first', disk]);
    qemuImg(['bitmap', '--add', disk, 'backup']);
    const { ours, qemu } = bothReadings(disk);
    expect(ours).toEqual(qemu);
  });

  it('should read an encrypted image', () => {
    using tree = buildTree({ 'vm/base': { sizeBytes: 2 ** 20 } });
    const disk = tree.path('vm/disk');
    const secret = ['--object', 'secret,id=key,data=secret', '-o', 'encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10'];
    qemuImg(['create', '-q', '-f', 'qcow2', ...secret, '-b', tree.path('vm/base'), '-F', 'raw', disk, '10M']);
    const { ours, qemu } = bothReadings(disk);
    expect(ours).toEqual(qemu);
  });

  it.each<[string, readonly string[]]>([
    ['rebase', ['rebase', '-u', '-b', 'somewhere/else', '-F', 'qcow2']],
    ['rebase to none', ['rebase', '-u', '-b', '']],
    ['amend', ['amend', '-f', 'qcow2', '-o', 'compat=0.10']],
  ])('should read an image after qemu-img %s', (_, args) => {
    using tree = buildTree({ 'vm/base': { sizeBytes: 2 ** 20 } });
    const disk = tree.path('vm/disk');
    qemuImg(['create', '-q', '-f', 'qcow2', '-b', tree.path('vm/base'), '-F', 'raw', disk, '10M']);
    qemuImg([...args, disk]);
    const { ours, qemu } = bothReadings(disk);
    expect(ours).toEqual(qemu);
  });
});

describe('parseImageHeader on images of qemu-img', () => {
  const secret = ['--object', 'secret,id=key,data=secret', '-o', 'key-secret=key,iter-time=10'];
  const parse = (path: string) => {
    const file = readFileSync(path);
    return parseImageHeader(file.subarray(0, HEAD_BYTES), (offset, length) => file.subarray(offset, offset + length));
  };

  it.each<[string, readonly string[]]>([
    ['qcow2', []],
    ['qcow', []],
    ['qed', []],
    ['vmdk', []],
    ['vmdk', ['-o', 'subformat=monolithicFlat']],
    ['vmdk', ['-o', 'subformat=twoGbMaxExtentSparse']],
    ['vmdk', ['-o', 'subformat=streamOptimized']],
    ['vdi', []],
    ['vdi', ['-o', 'static=on']],
    ['vpc', []],
    ['vhdx', []],
    ['vhdx', ['-o', 'subformat=fixed']],
  ])('should know that a %s image (%j) stands on nothing but its extents', (format, args) => {
    using tree = buildTree();
    const path = tree.path('image');
    qemuImg(['create', '-q', '-f', format, ...args, path, '10M']);
    const header = parse(path);
    expect(header).toMatchObject({ kind: 'image', format });
    if (header.kind !== 'image') return;
    expect({ unclear: header.unclear, backingFile: header.backingFile }).toEqual({ unclear: undefined, backingFile: undefined });
    if (header.virtualSizeBytes !== undefined) expect(header.virtualSizeBytes).toBe(qemuInfo(path)['virtual-size']);
  });

  it.each<[string, readonly string[]]>([
    ['raw', []],
    ['luks', secret],
    ['vpc', ['-o', 'subformat=fixed,force_size=on']],
  ])('should take a %s image for raw where it begins as one', (format, args) => {
    using tree = buildTree();
    qemuImg(['create', '-q', '-f', format, ...args, tree.path('image'), '10M']);
    expect(parse(tree.path('image'))).toEqual({ kind: 'raw' });
  });

  it.each(['qcow2', 'qcow', 'qed', 'vmdk'])('should find the parent that qemu-img gives a %s image', (format) => {
    using tree = buildTree();
    const parent = tree.path(format === 'vmdk' ? 'parent.vmdk' : 'parent');
    qemuImg(['create', '-q', '-f', format, parent, '10M']);
    qemuImg(['create', '-q', '-f', format, '-b', parent, '-F', format, tree.path('image')]);
    expect(parse(tree.path('image'))).toMatchObject({ kind: 'image', format, backingFile: { text: parent } });
  });

  it('should find the parent of a split vmdk image in its descriptor alone', () => {
    using tree = buildTree();
    qemuImg(['create', '-q', '-f', 'vmdk', tree.path('parent.vmdk'), '10M']);
    const split = ['-o', 'subformat=twoGbMaxExtentSparse', '-b', tree.path('parent.vmdk'), '-F', 'vmdk'];
    qemuImg(['create', '-q', '-f', 'vmdk', ...split, tree.path('disk.vmdk')]);
    expect(parse(tree.path('disk.vmdk'))).toMatchObject({ backingFile: { text: tree.path('parent.vmdk') } });
    expect(parse(tree.path('disk-s001.vmdk'))).toEqual({ kind: 'image', format: 'vmdk', virtualSizeBytes: 10 * 2 ** 20 });
  });
});

describe('the images that tests write by hand', () => {
  it.each<[string, Qcow2Spec]>([
    ['flat', {}],
    ['version 2', { version: 2, backingFile: '/nowhere', backingFormat: 'raw' }],
    ['of undeclared backing format', { backingFile: '/nowhere' }],
    ['backed', { backingFile: '/nowhere', backingFormat: 'qcow2', virtualSizeBytes: 40 * 2 ** 30 }],
  ])('should be sound for qemu-img: %s', (_, spec) => {
    using tree = buildTree({ '_base/raw': { sizeBytes: 512 } });
    const path = tree.path('image');
    const raw = { backingFile: tree.path('_base/raw'), ...('backingFormat' in spec && { backingFormat: 'raw' }) };
    writeFileSync(path, qcow2Image({ ...spec, ...('backingFile' in spec && raw) }));
    expect(qemuImg(['check', '-U', path])).toContain('No errors');
    writeFileSync(path, qcow2Image(spec));
    const { ours, qemu } = bothReadings(path);
    expect(ours).toEqual(qemu);
  });
});
