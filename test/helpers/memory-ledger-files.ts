import type { LedgerFiles } from '../../src/ledger/reading/files.ts';
import { errnoError } from '../../src/lib/errors.ts';
import { formatLine, hashLine } from '../../src/ledger/line.ts';
import { NO_RECORD_BEFORE, segmentName, type LedgerEntry } from '../../src/model/ledger/records.ts';

const OURS = { uid: 0, mode: 0o100600, device: 1, links: 1 };
const START_MS = Date.parse('2026-11-01T00:00:00.000Z');

/** The lines of these entries, a second apart, chained from the first record on. */
export function linesOf(entries: readonly (LedgerEntry | object)[]): string[] {
  const lines: string[] = [];
  let prev = NO_RECORD_BEFORE;
  for (const [index, entry] of entries.entries()) {
    const line = formatLine({ seq: index + 1, prev, at: new Date(START_MS + index * 1000).toISOString() }, entry as LedgerEntry);
    prev = hashLine(line);
    lines.push(line);
  }
  return lines;
}

/** What head.json says of lines that are one whole ledger. */
export function headOf(lines: readonly string[], segments: number): string {
  const last = lines.length === 0 ? { seq: 0, hash: NO_RECORD_BEFORE } : { seq: lines.length, hash: hashLine(lines.at(-1) ?? '') };
  const names = Array.from({ length: segments }, (_, index) => segmentName(index + 1));
  return `${JSON.stringify({ first: { seq: 1, prev: NO_RECORD_BEFORE }, last, segments: names })}\n`;
}

/** A ledger in memory, whose segments are these texts. */
export function memoryLedgerFiles(
  texts: readonly (string | Error)[],
  head?: string,
  { directory = '/ledger', provenance = OURS }: Partial<Pick<LedgerFiles, 'directory' | 'provenance'>> = {},
): LedgerFiles {
  const names = texts.map((_, index) => segmentName(index + 1));
  return {
    directory,
    provenance,
    segments: () => names,
    head: () => head,
    *read(segment, sink) {
      const text = texts[names.indexOf(segment)] ?? errnoError('ENOENT', 'gone');
      if (text instanceof Error) throw text;
      const lines = text.split('\n');
      const rest = lines.pop();
      for (const line of lines) {
        yield;
        const bytes = Buffer.from(line);
        sink.line(bytes, 0, bytes.length);
      }
      if (rest !== undefined && rest !== '') sink.rest(Buffer.from(rest), 0, Buffer.byteLength(rest));
      return OURS;
    },
    version: () => texts.join(''),
    close: () => {},
  };
}
