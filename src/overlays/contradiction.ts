import type { ImageHeader } from '../images/header.ts';

/** Their magic numbers hold a NUL byte, or are followed by one: QEMU finds no text there. */
const BINARY: ReadonlySet<string> = new Set(['qcow', 'qcow2', 'qed']);

/**
 * Why a file may be read in a way that its bytes do not announce, as a place declares its format. QEMU refuses a file without the magic
 * number of the declared format. VMDK has none: nearly any text is a descriptor, and may name other files.
 */
export function contradiction(declared: string | undefined, found: ImageHeader): string | undefined {
  if (declared !== 'vmdk' || found.kind === 'invalid') return undefined;
  if (found.kind === 'raw') return 'it is named as vmdk, and its bytes are not read as a descriptor';
  if (found.format === 'vmdk' || BINARY.has(found.format)) return undefined;
  return `it is named as vmdk, and its bytes are of ${found.format}`;
}
