import { invalid, startsWith, type ImageFormat } from './format.ts';

const COOKIE = Buffer.from('conectix');
const FOOTER_BYTES = 512;
const FIXED = 2;
const DYNAMIC = 3;

/**
 * A VHD (`block/vpc.c`): a dynamic one begins with a copy of its footer. A fixed one does not, and is `raw` here; it has no
 * parent either. Differencing images have one, and QEMU refuses to open them.
 */
export const vpc: ImageFormat = {
  name: 'vpc',
  probe: (head) => startsWith(head, COOKIE),
  parse(head) {
    if (head.length < FOOTER_BYTES) return invalid('vpc', 'the file ends within its vpc footer');
    const type = head.readUInt32BE(60);
    const image = { kind: 'image', format: 'vpc', virtualSizeBytes: Number(head.readBigUInt64BE(48)) } as const;
    return type === FIXED || type === DYNAMIC
      ? image
      : { ...image, unclear: `a vpc image of type ${type} may have a parent, which is not read` };
  },
};
