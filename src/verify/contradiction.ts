import type { BaseFile } from '../model/scan.ts';
import type { ImageHeader } from '../images/header.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * What a base file's header or virtual size has against its name, or undefined. The suffix of a resized file is a size in GiB
 * (Nova's `Qcow2.create_image`: `legacy_backing_size`) or in bytes (older writers): only what fits neither is a contradiction.
 * Swap and ephemeral files are named by the MiB and GiB that Nova makes them of (`_create_swap`, `_create_ephemeral`).
 */
export function contradictionOf(file: Pick<BaseFile, 'name' | 'kind' | 'sizeBytes'>, header: ImageHeader): string | undefined {
  if (header.kind === 'invalid') return `its ${header.format} header is invalid: ${header.message}`;
  if (header.kind === 'image' && header.corrupt === true) return `its ${header.format} header says that the image is corrupt`;
  if (file.sizeBytes === 0) return 'it is empty';
  const virtualBytes = header.kind === 'image' ? header.virtualSizeBytes : file.sizeBytes;
  if (virtualBytes === undefined) return undefined;
  const expected = expectedSizes(file);
  if (expected.length === 0 || expected.includes(virtualBytes)) return undefined;
  return `its virtual size is ${virtualBytes} bytes, but its name says ${expected.join(' or ')}`;
}

/** The sizes in bytes that the name may mean; none where it says nothing. */
function expectedSizes({ name, kind }: Pick<BaseFile, 'name' | 'kind'>): readonly number[] {
  const parts = name.split('_');
  const size = Number(/^[0-9]+$/.test(parts[1] ?? '') ? parts[1] : Number.NaN);
  if (!Number.isSafeInteger(size)) return [];
  if (kind === 'resized') return [size * GIB, size];
  if (kind === 'swap') return [size * MIB];
  return kind === 'ephemeral' ? [size * GIB] : [];
}
