import { parseJson } from '../../lib/json.ts';

const BEGINNING = '{"seq":';

/**
 * Whether a line is the beginning of a record and not all of it. As the last line of a ledger it is not damage: a record is being written
 * there, or its process was killed.
 */
export function isCutOff(buffer: Buffer, start: number, end: number): boolean {
  const text = buffer.toString('utf8', start, end);
  return beginsAsRecord(text) && parseJson(text) === undefined;
}

/** Of what follows the last line end. */
export function isWithoutEnd(buffer: Buffer, start: number, end: number): boolean {
  return start < end && beginsAsRecord(buffer.toString('utf8', start, Math.min(end, start + BEGINNING.length)));
}

function beginsAsRecord(text: string): boolean {
  return text.startsWith(BEGINNING) || BEGINNING.startsWith(text);
}
