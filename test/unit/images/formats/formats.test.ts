import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMATS, isReadFormat, PARENTLESS_FORMATS, parseImageHeader } from '../../../../src/images/formats/formats.ts';
import { qcow2Header } from '../../../helpers/qcow2-image.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const NOTHING_MORE = (): Buffer => Buffer.alloc(0);
const parse = (head: Buffer) => parseImageHeader(head, NOTHING_MORE);

/** A header of `length` zero bytes with some fields in it. */
function header(length: number, magic: string, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(magic, 'latin1');
  fill(bytes);
  return bytes;
}

const DESCRIPTOR = (rest: string): Buffer => latin1(`# Disk DescriptorFile\nversion=1\nCID=1234\n${rest}`);

describe('parseImageHeader', () => {
  it.each([
    ['an empty file', ''],
    ['three bytes', 'QFI'],
    ['a qcow magic without version', 'QFI\xfb\0\0'],
    ['a boot sector', '\xeb\x63\x90'],
    ['LUKS, which has no backing files', 'LUKS\xba\xbe\0\x01'],
    ['a text', '# comments\nand no version\n'],
  ])('should take %s for raw', (_, content) => {
    expect(parse(latin1(content))).toEqual({ kind: 'raw' });
  });

  it.each([
    ['qcow2', 'QFI\xfb\0\0\0\x03'],
    ['qcow2', 'QFI\xfb\0\0\0\x63'],
    ['qcow', 'QFI\xfb\0\0\0\x01'],
    ['qed', 'QED\0'],
    ['vmdk', 'KDMV\x01'],
    ['vmdk', '# Disk DescriptorFile\nversion=1\n'],
    ['vmdk', '\n# a comment\n  \r\nversion=3\nCID=1\n'],
    ['vhdx', 'vhdxfile'],
    ['vpc', 'conectix'],
    ['vdi', `<<< QEMU VM Virtual Disk Image >>>\n${'\0'.repeat(29)}\x7f\x10\xda\xbe`],
  ])('should not understand %s that ends too soon', (format, content) => {
    expect(parse(latin1(content))).toMatchObject({ kind: 'invalid', format });
  });

  it.each(['WithoutFreeSpace', 'WithouFreSpacExt', 'Bochs Virtual HD Image', 'COWD\x01'])(
    'should admit that an image which begins with %s may have a parent',
    (content) => {
      expect(parse(latin1(content))).toMatchObject({ kind: 'image', unclear: expect.stringMatching(/parent, which is not read$/) });
    },
  );

  it.each<[string, Buffer, string]>([
    ['qcow2', qcow2Header({ backingFile: 'parent' }), 'parent'],
    [
      'qcow',
      header(64, 'QFI\xfb\0\0\0\x01', (bytes) => {
        bytes.writeBigUInt64BE(48n, 8);
        bytes.writeUInt32BE(6, 16);
        bytes.write('parent', 48);
      }),
      'parent',
    ],
    [
      'qed',
      header(80, 'QED\0', (bytes) => {
        bytes.writeBigUInt64LE(1n, 16);
        bytes.writeUInt32LE(64, 56);
        bytes.writeUInt32LE(6, 60);
        bytes.write('parent', 64);
      }),
      'parent',
    ],
    ['vmdk', DESCRIPTOR('parentCID=fffffffe\nparentFileNameHint="parent.vmdk"\n'), 'parent.vmdk'],
    ['vmdk', DESCRIPTOR('parentCID=ffffffff\nparentFileNameHint="parent.vmdk"\n'), 'parent.vmdk'],
  ])('should find the parent of %s', (format, head, text) => {
    expect(parse(head)).toMatchObject({ kind: 'image', format, backingFile: { text, valid: true } });
  });

  it('should find the extents of a VMDK descriptor', () => {
    const extents = 'RW 20480 FLAT "disk-flat.vmdk" 0\nRDONLY 1 SPARSE "other.vmdk"\nRW 63 ZERO\n';
    expect(parse(DESCRIPTOR(`parentCID=ffffffff\n${extents}`))).toEqual({
      kind: 'image',
      format: 'vmdk',
      dataFiles: [
        { text: 'disk-flat.vmdk', valid: true },
        { text: 'other.vmdk', valid: true },
      ],
    });
  });

  it.each<[string, Buffer]>([
    ['a VMDK whose descriptor names no parent', DESCRIPTOR('parentCID=12345678\n')],
    ['a differencing VHD', header(512, 'conectix', (bytes) => bytes.writeUInt32BE(4, 60))],
    [
      'a differencing VDI',
      header(512, '', (bytes) => {
        bytes.writeUInt32BE(0x7f10dabe, 0x40);
        bytes.writeUInt32LE(4, 0x4c);
      }),
    ],
    [
      'a VDI with a link',
      header(512, '', (bytes) => {
        bytes.writeUInt32BE(0x7f10dabe, 0x40);
        bytes.writeUInt32LE(1, 0x4c);
        bytes.writeUInt8(1, 0x1a8);
      }),
    ],
    ['a qed with unknown features', header(64, 'QED\0', (bytes) => bytes.writeBigUInt64LE(1n << 40n, 16))],
    ['a qcow2 with unknown features', qcow2Header({ incompatibleFeatures: 1n << 40n })],
    ['a qcow2 whose data file has no name', qcow2Header({ incompatibleFeatures: 4n })],
  ])('should admit that %s may stand on more than it names', (_, head) => {
    expect(parse(head)).toMatchObject({ kind: 'image', unclear: expect.stringMatching(/\w/) });
  });

  it('should survive any bytes behind any magic, and ask for no more than it may', () => {
    const magics = ['', 'QFI\xfb\0\0\0\x01', 'QFI\xfb\0\0\0\x03', 'QED\0', 'KDMV', '# Disk DescriptorFile\n', 'vhdxfile', 'conectix'];
    assert(
      property(uint8Array({ maxLength: 600 }), uint8Array({ maxLength: 200 }), (bytes, more) => {
        for (const magic of magics) {
          const found = parseImageHeader(Buffer.concat([latin1(magic), Buffer.from(bytes)]), (offset, length) => {
            expect(Number.isSafeInteger(offset) && offset >= 0 && length <= 65_536).toBe(true);
            return Buffer.from(more).subarray(0, length);
          });
          expect(['raw', 'image', 'invalid']).toContain(found.kind);
        }
      }),
    );
  });
});

describe('the registry of formats', () => {
  it('should know each format by one name, and none as both read and parentless', () => {
    const names = FORMATS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => PARENTLESS_FORMATS.has(name))).toEqual([]);
    expect(names.every(isReadFormat)).toBe(true);
  });
});
