import { inPieces } from '../../../../lib/pieces.ts';
import { deceptionless } from '../../../../lib/text.ts';
import type { HistoryEvidence, HistoryPass, HistoryReading } from '../../../../model/ledger/history.ts';

/** A history that is read while it is written. */
export interface WrittenHistory {
  /** What stands before the items. */
  readonly opening: Readonly<Record<string, unknown>>;
  /** It may be held as a whole. */
  readonly isShort: boolean;
  /** Oldest first. */
  readonly entries: () => HistoryReading;
}

/** How a format writes an object whose values are written one after the other. */
export interface DocumentFormat {
  readonly open: string;
  readonly pair: (key: string, value: unknown) => string;
  readonly list: (key: string) => string;
  readonly item: (key: string, value: unknown, index: number) => string;
  /** `length`: of the list. */
  readonly listEnd: (key: string, length: number) => string;
  /** The last pair, and the end. */
  readonly last: (key: string, value: unknown) => string;
}

/** JSON with one item a line; deceiving characters are escaped. */
export const JSON_FORMAT: DocumentFormat = {
  open: '{\n',
  pair: (key, value) => `  ${JSON.stringify(key)}: ${line(value)},\n`,
  list: (key) => `  ${JSON.stringify(key)}: [`,
  item: (_key, value, index) => `${index === 0 ? '' : ','}\n    ${line(value)}`,
  listEnd: (_key, length) => (length === 0 ? '],\n' : '\n  ],\n'),
  last: (key, value) => `  ${JSON.stringify(key)}: ${line(value)}\n}\n`,
};

/** A history as text in pieces. No more is held of it than the passes and the evidence that its items name. */
export function historyDocument(history: WrittenHistory, format: DocumentFormat): Generator<string> {
  return inPieces(documentParts(history, format));
}

/** As `historyDocument`; an empty piece where something else may happen. */
export function* documentParts({ opening, entries }: WrittenHistory, format: DocumentFormat): Generator<string> {
  const passes = new Map<number, HistoryPass>();
  const evidence = new Map<number, HistoryEvidence>();
  yield format.open;
  for (const [key, value] of Object.entries(opening)) yield format.pair(key, value);
  yield format.list('items');
  let length = 0;
  const reading = entries();
  let next = reading.next();
  for (; next.done !== true; next = reading.next()) {
    yield next.value === undefined ? '' : format.item('items', next.value.item, length);
    if (next.value === undefined) continue;
    length += 1;
    if (next.value.pass !== undefined) passes.set(next.value.pass.seq, next.value.pass);
    if (next.value.evidence !== undefined) evidence.set(next.value.evidence.seq, next.value.evidence);
  }
  yield format.listEnd('items', length);
  for (const [key, records] of [['passes', passes] as const, ['evidence', evidence] as const]) {
    yield format.list(key);
    let index = 0;
    for (const record of records.values()) yield format.item(key, record, index++);
    yield format.listEnd(key, index);
  }
  if (next.value.mark !== undefined) yield format.pair('mark', next.value.mark);
  yield format.last('unreadable', next.value.unreadable);
}

function line(value: unknown): string {
  return deceptionless(JSON.stringify(value));
}
