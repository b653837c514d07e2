import type { LedgerEnd } from '../../model/ledger/records.ts';

/*
 * What the bytes of a line say, without a string of it: an audit looks at the beginning of a million lines. A line ends with a byte that is
 * in nothing that is looked for, so no comparison goes on behind it.
 */

const SEQ = '{"seq":';
const PREV = ',"prev":"';
const REST = '",';
const ZERO = 0x30;
const NINE = 0x39;

/** Where in the buffer follows what comes after the link to `last`, -1 for a line with another link. */
export function behindLink(buffer: Buffer, start: number, last: LedgerEnd): number {
  const seq = behind(SEQ, buffer, start);
  const prev = behind(PREV, buffer, behindNumber(last.seq + 1, buffer, seq));
  return behind(REST, buffer, behind(last.hash, buffer, prev));
}

/** Where the ASCII text ends that stands here; -1 where another stands here. Nothing stands at -1, so that one look may follow another. */
export function behind(text: string, bytes: Uint8Array, at: number): number {
  const { length } = text;
  for (let index = 0; index < length; index += 1) if (bytes[at + index] !== text.charCodeAt(index)) return -1;
  return at + length;
}

/** Where the number ends that stands here as JSON has it; -1 where another stands here. */
function behindNumber(number: number, bytes: Uint8Array, at: number): number {
  const end = behindDigits(bytes, at);
  return bytes[at] !== ZERO && end > at && numberAt(bytes, at) === number ? end : -1;
}

/** The digits that stand here; 0 where there is none. */
export function numberAt(bytes: Uint8Array, at: number): number {
  let number = 0;
  for (let index = at; isDigit(bytes[index]); index += 1) number = number * 10 + ((bytes[index] ?? ZERO) - ZERO);
  return number;
}

function behindDigits(bytes: Uint8Array, at: number): number {
  let end = at;
  while (isDigit(bytes[end])) end += 1;
  return end;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
