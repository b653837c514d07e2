import type { ImageHeader } from '../images/header.ts';

/**
 * QEMU opens a file as it is told, whatever its first bytes announce, and read as that format they may name other files. It refuses bytes of
 * no format, unless they are to be VMDK: nearly any text is a descriptor.
 */
export function contradiction(told: string, found: ImageHeader): string | undefined {
  if (found.kind === 'raw' && told === 'vmdk') return 'it is named as vmdk, and its bytes are not read as a descriptor';
  if (found.kind !== 'image' || found.format === told) return undefined;
  return `it is named as ${told}, and its bytes are of ${found.format}`;
}
