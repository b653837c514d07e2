import type { ImageHeader } from '../header.ts';
import { bytesAt, invalid, startsWith, type ImageFormat, type ReadMore } from './format.ts';

const SIGNATURE = Buffer.from('vhdxfile');
const REGION_TABLES: readonly number[] = [192 * 1024, 256 * 1024];
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 1024;
const METADATA_REGION = guid('8b7ca206-4790-4b9a-b8fe-575f050f886e');
const FILE_PARAMETERS = guid('caa16737-fa36-4d43-b3b6-33f0aa44e76b');
/** `has_parent` in the bits of the file parameters. */
const HAS_PARENT = 2;

/** Hyper-V's image (`block/vhdx.c`), read as far as the one bit that says whether there is a parent. */
export const vhdx: ImageFormat = {
  name: 'vhdx',
  probe: (head) => startsWith(head, SIGNATURE),
  parse(head, read) {
    for (const table of REGION_TABLES) {
      const region = metadataRegion(head, read, table);
      if (region !== undefined) return parentIn(head, read, region);
    }
    return invalid('vhdx', 'it has no readable region table');
  },
};

function metadataRegion(head: Buffer, read: ReadMore, offset: number): number | undefined {
  const table = bytesAt(head, read, offset, 16 + MAX_ENTRIES * ENTRY_BYTES);
  if (table.length < 16 || table.toString('latin1', 0, 4) !== 'regi') return undefined;
  return entryOf(table, 16, table.readUInt32LE(8), METADATA_REGION, (at) => Number(table.readBigUInt64LE(at + 16)));
}

function parentIn(head: Buffer, read: ReadMore, region: number): ImageHeader {
  const table = bytesAt(head, read, region, ENTRY_BYTES + MAX_ENTRIES * ENTRY_BYTES);
  if (table.length < ENTRY_BYTES || table.toString('latin1', 0, 8) !== 'metadata') return invalid('vhdx', 'it has no readable metadata');
  const offset = entryOf(table, ENTRY_BYTES, table.readUInt16LE(10), FILE_PARAMETERS, (at) => table.readUInt32LE(at + 16));
  const parameters = offset === undefined ? undefined : bytesAt(head, read, region + offset, 8);
  if (parameters === undefined || parameters.length < 8) return invalid('vhdx', 'it has no file parameters');
  const image = { kind: 'image', format: 'vhdx' } as const;
  return (parameters.readUInt32LE(4) & HAS_PARENT) === 0 ? image : { ...image, unclear: 'a vhdx image has a parent, which is not read' };
}

/** What `valueAt` says of the first entry with that identifier. */
function entryOf(table: Buffer, start: number, count: number, id: Buffer, valueAt: (offset: number) => number): number | undefined {
  for (let entry = 0; entry < Math.min(count, MAX_ENTRIES); entry += 1) {
    const at = start + entry * ENTRY_BYTES;
    if (at + ENTRY_BYTES > table.length) return undefined;
    if (!startsWith(table, id, at)) continue;
    const value = valueAt(at);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  return undefined;
}

/** As Microsoft writes it: the first three groups are little-endian. */
function guid(text: string): Buffer {
  const [a = '', b = '', c = '', ...rest] = text.split('-');
  const bytes = Buffer.from(`${a}${b}${c}${rest.join('')}`, 'hex');
  bytes.subarray(0, 4).swap32();
  bytes.subarray(4, 8).swap16();
  return bytes;
}
