/**
 * Which image format the first bytes of a file announce, as QEMU's probing finds it (`bdrv_probe` of each block driver).
 * `raw`: none. `other`: a format that can name a backing or parent file that we do not read.
 */
export type ProbedFormat = { readonly kind: 'raw' } | { readonly kind: 'qcow2' } | { readonly kind: 'other'; readonly name: string };

const RAW: ProbedFormat = { kind: 'raw' };
const QCOW2: ProbedFormat = { kind: 'qcow2' };

const MAGICS: readonly { readonly name: string; readonly offset: number; readonly magic: Buffer }[] = [
  { name: 'qed', offset: 0, magic: Buffer.from('QED\0', 'latin1') },
  { name: 'vmdk', offset: 0, magic: Buffer.from('KDMV') },
  { name: 'vmdk', offset: 0, magic: Buffer.from('COWD') },
  { name: 'vmdk', offset: 0, magic: Buffer.from('# Disk DescriptorFile') },
  { name: 'vhdx', offset: 0, magic: Buffer.from('vhdxfile') },
  { name: 'vpc', offset: 0, magic: Buffer.from('conectix') },
  { name: 'parallels', offset: 0, magic: Buffer.from('WithoutFreeSpace') },
  { name: 'parallels', offset: 0, magic: Buffer.from('WithouFreSpacExt') },
  { name: 'bochs', offset: 0, magic: Buffer.from('Bochs Virtual HD Image') },
  { name: 'vdi', offset: 0x40, magic: Buffer.from([0x7f, 0x10, 0xda, 0xbe]) },
];

/** A VMDK descriptor need not begin with its comment: QEMU skips comments and blank lines before `version=`. */
const VMDK_DESCRIPTOR = /^(?:#[^\n]*\n|[ \r]*\n)*version=[123]\r?\n/;
/** `QFI\xfb` */
const QCOW_MAGIC = 0x51_46_49_fb;

/** `head`: the beginning of the file; shorter only when the file is. LUKS, cloop and dmg cannot have backing files: `raw` here. */
export function probeFormat(head: Buffer): ProbedFormat {
  if (head.length >= 8 && head.readUInt32BE(0) === QCOW_MAGIC) {
    return head.readUInt32BE(4) === 1 ? { kind: 'other', name: 'qcow' } : QCOW2;
  }
  for (const { name, offset, magic } of MAGICS) {
    if (startsWith(head, magic, offset)) return { kind: 'other', name };
  }
  return VMDK_DESCRIPTOR.test(head.toString('latin1', 0, 512)) ? { kind: 'other', name: 'vmdk' } : RAW;
}

function startsWith(head: Buffer, magic: Buffer, offset: number): boolean {
  return head.length >= offset + magic.length && head.compare(magic, 0, magic.length, offset, offset + magic.length) === 0;
}
