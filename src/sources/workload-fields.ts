import type { EphemeralDisk } from '../model/workload.ts';

/** Nova's flavors hold sizes as signed 32-bit integers. */
export const MAX_SIZE = 2 ** 31 - 1;

/** A size in the unit of its field; undefined for what is not a whole number that a flavor can hold. */
export function parseSize(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return undefined;
  const size = Number(text);
  return size <= MAX_SIZE ? size : undefined;
}

/** `20` or `20:ext4`; undefined for anything else. */
export function parseEphemeral(text: string): EphemeralDisk | undefined {
  const colon = text.indexOf(':');
  const sizeGb = parseSize(colon === -1 ? text : text.slice(0, colon));
  const filesystem = colon === -1 ? undefined : text.slice(colon + 1);
  if (sizeGb === undefined || filesystem === '') return undefined;
  return { sizeGb, ...(filesystem === undefined ? {} : { filesystem }) };
}

/** Directory names that may be its instance directory, also without blanks around them: whatever is not a single path segment is left out. */
export function instanceNamesOf(...names: readonly (string | undefined)[]): readonly string[] {
  const readings = names.flatMap((name) => (name === undefined ? [] : [name, name.trim()]));
  return [...new Set(readings.filter(isSegment))];
}

/** True for what can be one directory entry. */
export function isSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) <= 255;
}
