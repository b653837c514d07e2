import type { ImageHeader } from '../images/header.ts';

/**
 * QEMU opens a file as it is declared to be, whatever its first bytes announce, and read as that format they may name other files. It refuses bytes of
 * no format, unless they are to be VMDK: nearly any text is a descriptor.
 */
export function contradiction(declared: string, found: ImageHeader): string | undefined {
  if (found.kind === 'raw' && declared === 'vmdk') return 'it is named as vmdk, and its bytes are not read as a descriptor';
  if (found.kind !== 'image' || found.format === declared) return undefined;
  return `it is named as ${declared}, and its bytes are of ${found.format}`;
}
