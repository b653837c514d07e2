import { MAX_NAME_BYTES } from './qcow2-header.ts';
import { bytesAt, headerName, invalid, startsWith, type ImageFormat } from './format.ts';

const MAGIC = Buffer.from('QED\0', 'latin1');
const HEADER_BYTES = 64;
const HAS_BACKING_FILE = 1n;
const BACKING_IS_RAW = 4n;
const KNOWN_FEATURES = 7n;

/** QEMU's enhanced disk format (`docs/interop/qed_spec.rst`). */
export const qed: ImageFormat = {
  name: 'qed',
  probe: (head) => startsWith(head, MAGIC),
  parse(head, read) {
    if (head.length < HEADER_BYTES) return invalid('qed', 'the file ends within its qed header');
    const features = head.readBigUInt64LE(16);
    const image = { kind: 'image', format: 'qed', virtualSizeBytes: Number(head.readBigUInt64LE(48)) } as const;
    const unclear =
      (features & ~KNOWN_FEATURES) === 0n ? {} : { unclear: `the unknown qed features 0x${features.toString(16)} are in use` };
    if ((features & HAS_BACKING_FILE) === 0n) return { ...image, ...unclear };
    const length = head.readUInt32LE(60);
    if (length > MAX_NAME_BYTES) return invalid('qed', `a backing file name of ${length} bytes is too long`);
    const bytes = bytesAt(head, read, head.readUInt32LE(56), length);
    if (bytes.length < length) return invalid('qed', 'the file ends within its backing file name');
    const raw = (features & BACKING_IS_RAW) === 0n ? {} : { backingFormat: 'raw' };
    return { ...image, ...unclear, backingFile: headerName(bytes), ...raw };
  },
};
