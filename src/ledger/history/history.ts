import { hasErrno } from '../../lib/errors.ts';
import type { HistoryEnd, HistoryEntry, HistoryQuery } from '../../model/ledger/history.ts';
import type { LedgerFiles } from '../reading/files.ts';
import { Collector } from './collector.ts';
import { createEntryReader, wasPutBack } from './entries.ts';
import type { Row } from './pending.ts';

/**
 * The removals that a ledger has, oldest first, each as soon as its outcome is known; undefined in between, where something else may happen.
 * With a limit, the newest so many, once all is read.
 */
export function* readHistory(files: LedgerFiles, query: HistoryQuery): Generator<HistoryEntry | undefined, HistoryEnd, undefined> {
  const collector = new Collector(query);
  const entryOf = createEntryReader();
  const newest: Row[] = [];
  let unreadable = 0;
  const shown = function* (rows: readonly Row[]): Generator<HistoryEntry> {
    for (const row of rows) {
      const entry = entryOf(row);
      if (entry === 'unreadable') unreadable += 1;
      else if (entry !== undefined) yield entry;
    }
  };
  for (const segment of files.segments()) {
    const reading = files.read(segment, collector);
    for (;;) {
      const { done } = nextOf(reading);
      const rows = collector.take();
      if (query.limit === 0) yield* shown(rows);
      else keepNewest(newest, rows, query.limit);
      if (done === true) break;
      yield undefined;
    }
  }
  const rest = collector.take(true);
  if (query.limit === 0) yield* shown(rest);
  else {
    keepNewest(newest, rest, query.limit);
    yield* shown(newest.slice(-query.limit));
  }
  const { mark } = collector;
  return { unreadable: unreadable + collector.unreadable, ...(mark === undefined ? {} : { mark }) };
}

/** A segment that rotation has dropped meanwhile has nothing more to say. */
function nextOf<T>(reading: Iterator<undefined, T, undefined>): { readonly done?: boolean | undefined } {
  try {
    return reading.next();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { done: true };
    throw error;
  }
}

/** `newest` may grow to twice the limit before it is cut. */
function keepNewest(newest: Row[], rows: readonly Row[], limit: number): void {
  for (const row of rows) {
    if (wasPutBack(row)) continue;
    newest.push(row);
    if (newest.length >= 2 * limit) newest.splice(0, newest.length - limit);
  }
}
