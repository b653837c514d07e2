import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probeFormat } from '../../../src/images/format.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('probeFormat', () => {
  it.each([
    ['an empty file', ''],
    ['three bytes', 'QFI'],
    ['a qcow magic without version', 'QFI\xfb\0\0'],
    ['a boot sector', '\xeb\x63\x90'],
    ['LUKS, which has no backing files', 'LUKS\xba\xbe\0\x01'],
    ['a text', '# comments\nand no version\n'],
  ])('should take %s for raw', (_, content) => {
    expect(probeFormat(latin1(content))).toEqual({ kind: 'raw' });
  });

  it.each([2, 3, 99])('should leave qcow2 version %i to the parser', (version) => {
    expect(probeFormat(Buffer.concat([latin1('QFI\xfb'), Buffer.from([0, 0, 0, version])]))).toEqual({ kind: 'qcow2' });
  });

  it.each([
    ['qcow', 'QFI\xfb\0\0\0\x01'],
    ['qed', 'QED\0'],
    ['vmdk', 'KDMV\x01'],
    ['vmdk', 'COWD\x01'],
    ['vmdk', '# Disk DescriptorFile\nversion=1\n'],
    ['vmdk', '\n# a comment\n  \r\nversion=3\nCID=1\n'],
    ['vhdx', 'vhdxfile'],
    ['vpc', 'conectix'],
    ['parallels', 'WithoutFreeSpace'],
    ['parallels', 'WithouFreSpacExt'],
    ['bochs', 'Bochs Virtual HD Image'],
    ['vdi', `<<< QEMU VM Virtual Disk Image >>>\n${'\0'.repeat(29)}\x7f\x10\xda\xbe`],
  ])('should recognise %s, which may name a parent', (name, content) => {
    expect(probeFormat(latin1(content))).toEqual({ kind: 'other', name });
  });

  it('should survive any bytes', () => {
    assert(property(uint8Array({ maxLength: 600 }), (bytes) => ['raw', 'other', 'qcow2'].includes(probeFormat(Buffer.from(bytes)).kind)));
  });
});
