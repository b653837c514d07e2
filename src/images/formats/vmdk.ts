import type { HeaderName, ImageHeader, ParsedImage } from '../header.ts';
import { bytesAt, headerName, invalid, MAX_READ_BYTES, startsWith, type ImageFormat, type ReadMore } from './format.ts';

const SPARSE = Buffer.from('KDMV');
const ESX_SPARSE = Buffer.from('COWD');
/** A descriptor need not begin with its comment: QEMU skips comments and blank lines before `version=`. */
const DESCRIPTOR = /^(?:#[^\n]*\n|[ \r]*\n)*version=[123]\r?\n/;
const DESCRIPTOR_COMMENT = Buffer.from('# Disk DescriptorFile');
const SECTOR_BYTES = 512;
const SPARSE_HEADER_BYTES = 64;
const NO_PARENT = 'ffffffff';
/** A guest may write thousands of names into a disk, and each chain that leads through it keeps all of them. A base image has one extent. */
const MAX_EXTENTS = 64;
/** Where QEMU looks for the parent of a sparse image, and how far, whatever the header says of its descriptor (`vmdk_parent_open`). */
const PARENT_OFFSET = 0x200;
const PARENT_BYTES = 20 * SECTOR_BYTES;
const PARENT_HINT = 'parentFileNameHint';

/** VMware's image (`block/vmdk.c`): a descriptor, in a file of its own or behind a sparse header, names parent and extents. */
export const vmdk: ImageFormat = {
  name: 'vmdk',
  probe: (head) =>
    startsWith(head, SPARSE) || startsWith(head, ESX_SPARSE) || startsWith(head, DESCRIPTOR_COMMENT) || isDescriptor(textOf(head)),
  parse(head, read) {
    if (startsWith(head, ESX_SPARSE))
      return { kind: 'image', format: 'vmdk', unclear: 'an ESX sparse image may have a parent, which is not read' };
    if (!startsWith(head, SPARSE)) return parseDescriptor(bytesAt(head, read, 0, MAX_READ_BYTES), true);
    return withParentOfQemu(parseSparse(head, read), textOf(bytesAt(head, read, PARENT_OFFSET, PARENT_BYTES)));
  },
};

/** QEMU takes any text with these for a descriptor where a place says that the file is one. */
function isDescriptor(text: string): boolean {
  return DESCRIPTOR.test(text) || (text.includes('createType') && text.includes('CID='));
}

/** Up to the first NUL, as QEMU reads it. */
function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

function parseSparse(head: Buffer, read: ReadMore): ImageHeader {
  if (head.length < SPARSE_HEADER_BYTES) return invalid('vmdk', 'the file ends within its vmdk header');
  const offset = Number(head.readBigUInt64LE(28)) * SECTOR_BYTES;
  const size = Number(head.readBigUInt64LE(36)) * SECTOR_BYTES;
  const virtualSizeBytes = Number(head.readBigUInt64LE(12)) * SECTOR_BYTES;
  // An extent of another descriptor has none of its own: that one names the parent.
  if (offset === 0) return { kind: 'image', format: 'vmdk', virtualSizeBytes };
  if (!Number.isSafeInteger(offset) || size > MAX_READ_BYTES)
    return invalid('vmdk', `a descriptor of ${size} bytes at ${offset} is not allowed`);
  // QEMU goes by the end of the text, not by the size that the header gives.
  const bytes = bytesAt(head, read, offset, MAX_READ_BYTES);
  // `qemu-img` leaves room for a descriptor in each extent of an image that is split, and writes none.
  if (virtualSizeBytes > 0 && bytes[0] === 0) return { kind: 'image', format: 'vmdk', virtualSizeBytes };
  // Where the image has no sectors of its own, its extents are files.
  const descriptor = parseDescriptor(bytes, virtualSizeBytes === 0);
  return descriptor.kind === 'image' ? { ...descriptor, virtualSizeBytes } : descriptor;
}

/** VMware goes by the descriptor that the header names, QEMU by the text at a fixed place: where they differ, nobody knows which is meant. */
function withParentOfQemu(image: ImageHeader, text: string): ImageHeader {
  if (image.kind !== 'image') return image;
  const { unclear, backingFile, backingFormat } = parentIn(text, NO_PARENT);
  if (unclear !== undefined) return { ...image, unclear };
  if (backingFile === undefined || backingFile.text === image.backingFile?.text) return image;
  const doubt = image.backingFile === undefined ? {} : { unclear: 'a vmdk image names two parents, one to QEMU and one to VMware' };
  return { ...image, backingFile, backingFormat, ...doubt };
}

/** @param named whether extents are files of their own; the extent of a monolithic image is the image itself. */
function parseDescriptor(bytes: Buffer, named: boolean): ImageHeader {
  const text = textOf(bytes);
  if (text.length >= MAX_READ_BYTES) return invalid('vmdk', `its descriptor is longer than the ${MAX_READ_BYTES} bytes that are read`);
  const parentId = /^parentCID\s*=\s*([0-9a-f]+)/im.exec(text)?.[1];
  if (parentId === undefined) return invalid('vmdk', 'its descriptor does not say whether it has a parent');
  const extents = named ? extentsIn(text) : [];
  const dataFiles = extents.slice(0, MAX_EXTENTS);
  const tooMany =
    extents.length > MAX_EXTENTS ? { unclear: `a vmdk image of ${extents.length} extents, of which ${MAX_EXTENTS} are read` } : {};
  const image = { kind: 'image', format: 'vmdk', ...(extents.length === 0 ? {} : { dataFiles }) } as const;
  return { ...image, ...tooMany, ...parentIn(text, parentId) };
}

/**
 * What is quoted in a line that is neither a comment nor `key="value"`. QEMU reads such lines by sscanf: blanks of any kind and number stand
 * between the fields, and the closing quote need not be there.
 */
function extentsIn(text: string): HeaderName[] {
  const lines = text.split(/[\r\n]/).filter((line) => !/^\s*#/.test(line));
  return lines.flatMap((line) => /^[^"=]*"([^"]+)/.exec(line)?.slice(1) ?? []).map(nameOf);
}

/** QEMU follows the first name that it finds, even where the ID says that there is no parent. */
function parentIn(text: string, parentId: string): Pick<ParsedImage, 'backingFile' | 'backingFormat' | 'unclear'> {
  const hint = text.indexOf(PARENT_HINT);
  const parent = hint === -1 ? undefined : /^="([^"\n]*)"/.exec(text.slice(hint + PARENT_HINT.length))?.[1];
  if (parent !== undefined && parent !== '') return { backingFile: nameOf(parent), backingFormat: 'vmdk' };
  if (hint !== -1 && parent === undefined) return { unclear: 'a vmdk image names its parent in a way that is not understood' };
  if (parentId.toLowerCase() === NO_PARENT) return {};
  return { unclear: 'a vmdk image has a parent that its descriptor does not name' };
}

function nameOf(latin1: string): HeaderName {
  return headerName(Buffer.from(latin1, 'latin1'));
}
