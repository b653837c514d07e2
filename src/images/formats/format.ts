import { isUtf8 } from 'node:buffer';
import type { HeaderName, ImageHeader, InvalidHeader } from '../header.ts';

/** Reads at most `MAX_READ_BYTES` bytes at `offset`; fewer at the end of the file. Only asked for what lies beyond the head. */
export type ReadMore = (offset: number, length: number) => Buffer;

/** How much of a file is read at first. qemu-img puts nearly everything that matters into the first few hundred bytes. */
export const HEAD_BYTES = 4096;
/** A VMDK descriptor is the longest that is ever read. */
export const MAX_READ_BYTES = 65_536;

/** An image format: one file of this folder, and one line in `formats.ts`. */
export interface ImageFormat {
  /** QEMU's name. */
  readonly name: string;
  /** Whether the first bytes announce the format, as `bdrv_probe` of QEMU's block driver says. `head` is shorter only where the file is. */
  probe(head: Buffer): boolean;
  /** Never throws on any content, and allocates nothing by a size that the header gives. What `read` throws passes through. */
  parse(head: Buffer, read: ReadMore): ImageHeader;
}

/** Bytes of the file, from the head where it reaches so far, or is all of it. Shorter than `length` at the end of the file. */
export function bytesAt(head: Buffer, read: ReadMore, offset: number, length: number): Buffer {
  const bounded = Math.min(length, MAX_READ_BYTES);
  return offset + bounded <= head.length || head.length < HEAD_BYTES ? head.subarray(offset, offset + bounded) : read(offset, bounded);
}

/** QEMU's strings end at the first NUL. */
export function headerName(bytes: Buffer): HeaderName {
  const end = bytes.indexOf(0);
  const used = end === -1 ? bytes : bytes.subarray(0, end);
  return { text: used.toString('utf8'), valid: isUtf8(used) };
}

export function startsWith(head: Buffer, magic: Buffer, offset = 0): boolean {
  return head.length >= offset + magic.length && head.compare(magic, 0, magic.length, offset, offset + magic.length) === 0;
}

export function invalid(format: string, message: string): InvalidHeader {
  return { kind: 'invalid', format, message };
}
