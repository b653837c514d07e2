import { MAX_NAME_BYTES } from './qcow2-header.ts';
import { bytesAt, headerName, invalid, type ImageFormat } from './format.ts';
import { QFI } from './qcow2.ts';

const HEADER_BYTES = 48;

/** The first version of QCOW (`block/qcow.c`): a backing file name, and no backing format. */
export const qcow: ImageFormat = {
  name: 'qcow',
  probe: (head) => head.length >= 8 && head.readUInt32BE(0) === QFI && head.readUInt32BE(4) === 1,
  parse(head, read) {
    if (head.length < HEADER_BYTES) return invalid('qcow', 'the file ends within its qcow header');
    const offset = head.readBigUInt64BE(8);
    const length = head.readUInt32BE(16);
    const virtualSizeBytes = Number(head.readBigUInt64BE(24));
    if (offset === 0n || length === 0) return { kind: 'image', format: 'qcow', virtualSizeBytes };
    if (length > MAX_NAME_BYTES || offset > BigInt(Number.MAX_SAFE_INTEGER)) return invalid('qcow', 'its backing file name is too long');
    const bytes = bytesAt(head, read, Number(offset), length);
    if (bytes.length < length) return invalid('qcow', 'the file ends within its backing file name');
    return { kind: 'image', format: 'qcow', virtualSizeBytes, backingFile: headerName(bytes) };
  },
};
