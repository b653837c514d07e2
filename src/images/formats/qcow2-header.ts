import type { HeaderName } from '../header.ts';
import { headerName, type ReadMore } from './format.ts';

/** QEMU refuses longer backing file names (`PATH_MAX`-less `char[1024]`), so no second read is ever longer. */
export const MAX_NAME_BYTES = 1023;

const V2_HEADER_BYTES = 72;
const V3_HEADER_BYTES = 104;
const MAX_FORMAT_BYTES = 15;
const EXTENSION_END = 0;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const EXTENSION_DATA_FILE = 0x44415441;

/** Incompatible feature bits (docs/interop/qcow2.txt) by their position. */
const FEATURES = ['dirty', 'corrupt', 'externalDataFile', 'compressionType', 'extendedL2'] as const;
const NO_FEATURES: readonly Qcow2Feature[] = [];
const FEATURE_BITS = BigInt(FEATURES.length);
export type Qcow2Feature = (typeof FEATURES)[number];

export interface Qcow2Header {
  readonly kind: 'qcow2';
  readonly version: 2 | 3;
  /** Above 2^53 the value is rounded. */
  readonly virtualSizeBytes: number;
  readonly clusterSizeBytes: number;
  readonly backingFile: HeaderName | undefined;
  /** As the header extension says; undefined where QEMU would probe. */
  readonly backingFormat: string | undefined;
  readonly dataFile: HeaderName | undefined;
  readonly features: readonly Qcow2Feature[];
  /** Incompatible feature bits that we do not know: the rest of the header may mean something else. */
  readonly unknownFeatures: bigint;
}

export interface InvalidQcow2Header {
  readonly kind: 'invalid';
  readonly message: string;
}

/**
 * Parses a qcow2 header as QEMU's `qcow2_do_open` does, from the first HEAD_BYTES of the file and, where the backing file name
 * lies beyond, one more bounded read. Never throws on any content (what `readMore` throws passes through), allocates nothing by
 * a size that the header gives. Stricter than QEMU where a field makes no sense: such an image is invalid.
 */
export function parseQcow2Header(head: Buffer, readMore: ReadMore): Qcow2Header | InvalidQcow2Header {
  const fixed = readFixedFields(head);
  if (fixed.kind === 'invalid') return fixed;
  const { version, clusterSizeBytes, headerBytes, features } = fixed;
  const nameAt = locateBackingName(fixed);
  if (nameAt !== undefined && 'kind' in nameAt) return nameAt;
  const extensions = readExtensions(head, headerBytes, nameAt?.offset ?? clusterSizeBytes);
  if ('kind' in extensions) return extensions;
  let backingFile: HeaderName | undefined;
  if (nameAt !== undefined) {
    const end = nameAt.offset + nameAt.length;
    const bytes = end <= head.length ? head.subarray(nameAt.offset, end) : readMore(nameAt.offset, nameAt.length);
    if (bytes.length < nameAt.length) return invalid('the file ends within its backing file name');
    backingFile = headerName(bytes);
  }
  return {
    kind: 'qcow2',
    version,
    virtualSizeBytes: Number(fixed.virtualSize),
    clusterSizeBytes,
    backingFile: backingFile?.text === '' ? undefined : backingFile,
    backingFormat: extensions.backingFormat,
    dataFile: extensions.dataFile,
    features: features === 0n ? NO_FEATURES : FEATURES.filter((_, bit) => ((features >> BigInt(bit)) & 1n) === 1n),
    unknownFeatures: (features >> FEATURE_BITS) << FEATURE_BITS,
  };
}

interface FixedFields {
  readonly kind: 'fixed';
  readonly version: 2 | 3;
  readonly backingOffset: bigint;
  readonly backingBytes: number;
  readonly clusterSizeBytes: number;
  readonly virtualSize: bigint;
  readonly features: bigint;
  readonly headerBytes: number;
}

function readFixedFields(head: Buffer): FixedFields | InvalidQcow2Header {
  if (head.length < V2_HEADER_BYTES) return invalid(`the file ends within its qcow2 header, after ${head.length} bytes`);
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) return invalid(`qcow2 version ${version} is not known`);
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) return invalid(`a cluster size of 2^${clusterBits} bytes is not allowed`);
  const clusterSizeBytes = 2 ** clusterBits;
  let features = 0n;
  let headerBytes = V2_HEADER_BYTES;
  if (version === 3) {
    if (head.length < V3_HEADER_BYTES) return invalid(`the file ends within its qcow2 header, after ${head.length} bytes`);
    features = head.readBigUInt64BE(72);
    headerBytes = head.readUInt32BE(100);
    if (headerBytes < V3_HEADER_BYTES || headerBytes > clusterSizeBytes) return invalid(`a header length of ${headerBytes} is not allowed`);
  }
  return {
    kind: 'fixed',
    version,
    backingOffset: head.readBigUInt64BE(8),
    backingBytes: head.readUInt32BE(16),
    clusterSizeBytes,
    virtualSize: head.readBigUInt64BE(24),
    features,
    headerBytes,
  };
}

/** Where the backing file name is: within the first cluster, after the header. Offset 0 means that there is none. */
function locateBackingName(fixed: FixedFields): { readonly offset: number; readonly length: number } | InvalidQcow2Header | undefined {
  const { backingOffset, backingBytes, clusterSizeBytes, headerBytes } = fixed;
  if (backingOffset === 0n) return undefined;
  if (backingOffset > BigInt(clusterSizeBytes) || backingOffset < BigInt(headerBytes)) {
    return invalid(`a backing file name at offset ${backingOffset} is not allowed`);
  }
  const offset = Number(backingOffset);
  if (backingBytes > Math.min(MAX_NAME_BYTES, clusterSizeBytes - offset)) {
    return invalid(`a backing file name of ${backingBytes} bytes is too long`);
  }
  return { offset, length: backingBytes };
}

interface Extensions {
  readonly backingFormat: string | undefined;
  readonly dataFile: HeaderName | undefined;
}

/** QEMU's `qcow2_read_extensions`, as far as the head reaches: an extension beyond it is left unread. */
function readExtensions(head: Buffer, start: number, end: number): Extensions | InvalidQcow2Header {
  let backingFormat: string | undefined;
  let dataFile: HeaderName | undefined;
  let offset = start;
  while (offset + 8 <= Math.min(end, head.length)) {
    const magic = head.readUInt32BE(offset);
    const length = head.readUInt32BE(offset + 4);
    if (magic === EXTENSION_END) break;
    offset += 8;
    if (length > end - offset) return invalid('a header extension is too large');
    if (offset + length > head.length) break;
    const bytes = head.subarray(offset, offset + length);
    if (magic === EXTENSION_BACKING_FORMAT) {
      if (length > MAX_FORMAT_BYTES) return invalid('the name of the backing format is too long');
      backingFormat = headerName(bytes).text;
    } else if (magic === EXTENSION_DATA_FILE) {
      dataFile = headerName(bytes);
    }
    offset += Math.ceil(length / 8) * 8;
  }
  return { backingFormat, dataFile };
}

function invalid(message: string): InvalidQcow2Header {
  return { kind: 'invalid', message };
}
