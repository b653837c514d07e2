import type { LedgerEnd } from '../model/ledger/records.ts';
import { hashLine, linkOf } from './line.ts';

const NEWLINE = 10;

/** The end of a segment, as its bytes say it. */
export interface Tail {
  /** The last record; that before the segment where it has none. */
  readonly last: LedgerEnd;
  /** Of its last record, and the time of its first. Undefined where it has none. */
  readonly lastType: string | undefined;
  readonly firstAt: string | undefined;
  /** Where the next record goes. */
  readonly end: number;
  /** How many bytes from `end` on are a record that is not whole. */
  readonly tornBytes: number;
}

/**
 * Finds the end of the last segment. What a crash tears is what one write wrote last: from the first line that does not continue the chain,
 * where nothing before `settled` can be meant, because a whole pass was on disk with that number, and where what follows has one time. What
 * somebody changed before it stays as it is, for an audit to find.
 *
 * @param before the last record of the segment before.
 * @param settled the last record of the head; undefined where no head is known. Then only what no whole record follows counts as torn.
 */
export function readTail(bytes: Buffer, before: LedgerEnd, settled: number | undefined): Tail {
  const written = lengthWithoutBlanks(bytes);
  let tail: Tail = { last: before, lastType: undefined, firstAt: undefined, end: 0, tornBytes: 0 };
  for (let start = 0; start < written;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const stop = newline === -1 || newline > written ? written : newline;
    const next = newline === -1 ? undefined : afterLine(tail, bytes.subarray(start, stop), before);
    if (next === undefined && isTorn(bytes.subarray(stop, written), tail.last.seq, settled))
      return { ...tail, end: start, tornBytes: written - start };
    tail = { ...(next ?? (stop === start ? tail : skipped(tail, bytes.subarray(start, stop)))), end: stop + 1 };
    start = stop + 1;
  }
  return tail;
}

/** Undefined where the line does not continue the chain. */
function afterLine(tail: Tail, line: Buffer, before: LedgerEnd): Tail | undefined {
  const link = linkOf(line.toString('utf8'));
  if (link === undefined) return undefined;
  // The segment before may have been dropped, or changed: the first line of this one is believed.
  const continues = tail.last === before || (link.seq === tail.last.seq + 1 && link.prev === tail.last.hash);
  if (!continues) return undefined;
  return { ...tail, last: { seq: link.seq, hash: hashLine(line) }, lastType: link.type, firstAt: tail.firstAt ?? link.at };
}

function isTorn(rest: Buffer, lastSeq: number, settled: number | undefined): boolean {
  const lines = rest.toString('utf8').split('\n');
  const times = new Set(lines.map((line) => linkOf(line)?.at).filter((at) => at !== undefined));
  return settled === undefined ? times.size === 0 : lastSeq >= settled && times.size <= 1;
}

/** Behind a line that somebody changed. */
function skipped(tail: Tail, line: Buffer): Tail {
  const link = linkOf(line.toString('utf8'));
  return { ...tail, last: { seq: link?.seq ?? tail.last.seq, hash: hashLine(line) }, lastType: link?.type ?? tail.lastType };
}

function lengthWithoutBlanks(bytes: Buffer): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === NEWLINE) length -= 1;
  // The line end of the last line, where it is whole.
  return length;
}
