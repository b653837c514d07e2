import { countOf, humanBytes } from '../lib/text.ts';
import type { LedgerEnd } from '../model/ledger/records.ts';
import type { Report } from '../model/report.ts';

/** What the last pass that removed something did. */
export interface LastRemoval {
  /** RFC 3339. */
  readonly at: string;
  /** Such as `3 base files removed, 12.0 GiB`. */
  readonly what: string;
  /** The last record of the ledger then: by it, a ledger that was written again is found. Absent where removals are not recorded. */
  readonly ledger?: LedgerEnd | undefined;
}

/** What this pass removed, moved to the trash or removed from it; undefined where it did none of that. */
export function removalOf({
  takenAt,
  totals,
  trash,
  ledger,
}: Pick<Report, 'takenAt' | 'totals' | 'trash' | 'ledger'>): LastRemoval | undefined {
  const { trashedFiles = 0, trashedBytes = 0, emptiedFiles = 0, emptiedBytes = 0 } = trash?.totals ?? {};
  const parts = [
    [totals.removedFiles, totals.removedBytes, 'base file', 'removed'],
    [trashedFiles, trashedBytes, 'base file', 'moved to the trash'],
    [emptiedFiles, emptiedBytes, 'file', 'removed from the trash'],
  ] as const;
  const what = parts
    .filter(([files]) => files > 0)
    .map(([files, bytes, noun, how]) => `${countOf(files, noun)} ${how}, ${humanBytes(bytes)}`);
  if (what.length === 0) return undefined;
  return { at: takenAt, what: what.join('; '), ...(ledger?.last === undefined ? {} : { ledger: ledger.last }) };
}

/** As the annotation says it. */
export function lastRemovalText({ at, what, ledger }: LastRemoval): string {
  return `${at}: ${what}${ledger === undefined ? '' : ` (record ${ledger.seq}:${ledger.hash})`}`;
}

const LAST_REMOVAL = /^(\d{4}-\d\d-\d\dT\S{1,20}Z): (.{1,200}?)(?: \(record ([1-9]\d{0,14}):([0-9a-f]{64})\))?$/;

/** Reads the annotation, which anybody may have written: undefined for anything that is not ours. */
export function parseLastRemoval(text: string | undefined): LastRemoval | undefined {
  const [, at, what, seq, hash] = LAST_REMOVAL.exec(text ?? '') ?? [];
  if (at === undefined || what === undefined || Number.isNaN(Date.parse(at))) return undefined;
  return { at, what, ...(hash === undefined ? {} : { ledger: { seq: Number(seq), hash } }) };
}
