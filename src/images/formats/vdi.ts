import { invalid, startsWith, type ImageFormat } from './format.ts';

const SIGNATURE = Buffer.from([0x7f, 0x10, 0xda, 0xbe]);
const HEADER_BYTES = 0x1b8;
/** `VDI_TYPE_DYNAMIC` and `VDI_TYPE_STATIC`; undo and differencing images have a parent, which QEMU refuses to open. */
const PARENTLESS_TYPES: ReadonlySet<number> = new Set([1, 2]);
/** `uuid_link`: of the image that this one is backed by. */
const LINK = { start: 0x1a8, end: 0x1b8 } as const;

/** VirtualBox's image (`block/vdi.c`). */
export const vdi: ImageFormat = {
  name: 'vdi',
  probe: (head) => startsWith(head, SIGNATURE, 0x40),
  parse(head) {
    if (head.length < HEADER_BYTES) return invalid('vdi', 'the file ends within its vdi header');
    const type = head.readUInt32LE(0x4c);
    const virtualSizeBytes = Number(head.readBigUInt64LE(0x170));
    const image = { kind: 'image', format: 'vdi', virtualSizeBytes } as const;
    const isLinked = head.subarray(LINK.start, LINK.end).some((byte) => byte !== 0);
    if (PARENTLESS_TYPES.has(type) && !isLinked) return image;
    return { ...image, unclear: `a vdi image of type ${type} has a parent that its header does not name` };
  },
};
