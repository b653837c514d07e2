import type { ImageHeader } from '../header.ts';
import type { ImageFormat, ReadMore } from './format.ts';
import { qcow } from './qcow.ts';
import { qcow2 } from './qcow2.ts';
import { qed } from './qed.ts';
import { bochs, parallels } from './unread.ts';
import { vdi } from './vdi.ts';
import { vhdx } from './vhdx.ts';
import { vmdk } from './vmdk.ts';
import { vpc } from './vpc.ts';

/** Every format that can name another file, as QEMU probes them. What is not here is backed by nothing: raw, LUKS, cloop, dmg. */
export const FORMATS: readonly ImageFormat[] = [qcow2, qcow, qed, vmdk, vhdx, vpc, vdi, parallels, bochs];

/** Formats of images that are backed by nothing by nature. */
const PLAIN_FORMATS = ['raw', 'luks', 'cloop', 'dmg'];

/** Backing formats whose files are backed by nothing by nature, so that their headers say nothing more. */
export const PARENTLESS_FORMATS: ReadonlySet<string> = new Set([...PLAIN_FORMATS, 'file', 'host_device']);

const NAMES: ReadonlySet<string> = new Set(FORMATS.map(({ name }) => name));

/** Whether a declared format is one whose header is read here. */
export function isReadFormat(name: string): boolean {
  return NAMES.has(name);
}

/** Drivers of QEMU that stand for a format: their file is below `file`. */
export const FORMAT_DRIVERS: ReadonlySet<string> = new Set([...NAMES, ...PLAIN_FORMATS]);

const RAW: ImageHeader = { kind: 'raw' };

/** What the first bytes of a file say, and what its header names. `head`: the first `HEAD_BYTES`, shorter only where the file is. */
export function parseImageHeader(head: Buffer, read: ReadMore): ImageHeader {
  return FORMATS.find((format) => format.probe(head))?.parse(head, read) ?? RAW;
}
