/** A whole number of bytes above 0, alone or with a suffix as Kubernetes has it for memory. Written as both ECMAScript and RE2 (Helm) read it. */
export const QUANTITY = /^[1-9][0-9]{0,14}([kMGTP]|[KMGTP]i)?$/;

const POWERS = 'kMGTP';

/** The bytes of what `QUANTITY` matches, or of a number. */
export function bytesOfQuantity(quantity: number | string): number {
  if (typeof quantity === 'number') return quantity;
  const [, digits = '0', suffix = ''] = /^(\d+)(\w*)$/.exec(quantity) ?? [];
  const base = suffix.endsWith('i') ? 1024 : 1000;
  return Number(digits) * base ** (1 + POWERS.indexOf(suffix === '' ? ' ' : suffix.charAt(0).replace('K', 'k')));
}
