import type { ImageHeader } from '../header.ts';
import { bytesAt, headerName, invalid, MAX_READ_BYTES, startsWith, type ImageFormat, type ReadMore } from './format.ts';

const SPARSE = Buffer.from('KDMV');
const ESX_SPARSE = Buffer.from('COWD');
/** A descriptor need not begin with its comment: QEMU skips comments and blank lines before `version=`. */
const DESCRIPTOR = /^(?:#[^\n]*\n|[ \r]*\n)*version=[123]\r?\n/;
const DESCRIPTOR_COMMENT = Buffer.from('# Disk DescriptorFile');
const SECTOR_BYTES = 512;
const SPARSE_HEADER_BYTES = 64;
const NO_PARENT = 'ffffffff';

/** VMware's image (`block/vmdk.c`): a descriptor, in a file of its own or behind a sparse header, names parent and extents. */
export const vmdk: ImageFormat = {
  name: 'vmdk',
  probe: (head) =>
    startsWith(head, SPARSE) ||
    startsWith(head, ESX_SPARSE) ||
    startsWith(head, DESCRIPTOR_COMMENT) ||
    DESCRIPTOR.test(head.toString('latin1', 0, 512)),
  parse(head, read) {
    if (startsWith(head, ESX_SPARSE))
      return { kind: 'image', format: 'vmdk', unclear: 'an ESX sparse image may have a parent, which is not read' };
    if (!startsWith(head, SPARSE)) return parseDescriptor(bytesAt(head, read, 0, MAX_READ_BYTES), true);
    return parseSparse(head, read);
  },
};

function parseSparse(head: Buffer, read: ReadMore): ImageHeader {
  if (head.length < SPARSE_HEADER_BYTES) return invalid('vmdk', 'the file ends within its vmdk header');
  const offset = Number(head.readBigUInt64LE(28)) * SECTOR_BYTES;
  const size = Number(head.readBigUInt64LE(36)) * SECTOR_BYTES;
  const virtualSizeBytes = Number(head.readBigUInt64LE(12)) * SECTOR_BYTES;
  // An extent of another descriptor has none of its own: that one names the parent.
  if (offset === 0 || size === 0) return { kind: 'image', format: 'vmdk', virtualSizeBytes };
  if (!Number.isSafeInteger(offset) || size > MAX_READ_BYTES)
    return invalid('vmdk', `a descriptor of ${size} bytes at ${offset} is not allowed`);
  const bytes = bytesAt(head, read, offset, size);
  // `qemu-img` leaves room for a descriptor in each extent of an image that is split, and writes none.
  if (virtualSizeBytes > 0 && bytes[0] === 0) return { kind: 'image', format: 'vmdk', virtualSizeBytes };
  const descriptor = parseDescriptor(bytes, false);
  return descriptor.kind === 'image' ? { ...descriptor, virtualSizeBytes } : descriptor;
}

/** @param named whether extents are files of their own; the extent of a monolithic image is the image itself. */
function parseDescriptor(bytes: Buffer, named: boolean): ImageHeader {
  const end = bytes.indexOf(0);
  const text = bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
  const parentId = /^parentCID\s*=\s*([0-9a-f]+)/im.exec(text)?.[1];
  if (parentId === undefined) return invalid('vmdk', 'its descriptor does not say whether it has a parent');
  const extents = named
    ? [...text.matchAll(/^(?:RW|RDONLY|NOACCESS)\s+[0-9]+\s+[A-Z]+\s+"([^"\n]*)"/gm)].map(([, name = '']) => nameOf(name))
    : [];
  const image = { kind: 'image', format: 'vmdk', ...(extents.length === 0 ? {} : { dataFiles: extents }) } as const;
  // QEMU goes by the name alone.
  const parent = /parentFileNameHint\s*=\s*"([^"\n]*)"/i.exec(text)?.[1];
  if (parent !== undefined && parent !== '') return { ...image, backingFile: nameOf(parent), backingFormat: 'vmdk' };
  if (parentId.toLowerCase() === NO_PARENT) return image;
  return { ...image, unclear: 'a vmdk image has a parent that its descriptor does not name' };
}

function nameOf(latin1: string): { readonly text: string; readonly valid: boolean } {
  return headerName(Buffer.from(latin1, 'latin1'));
}
