import { inPieces } from '../../../../lib/pieces.ts';
import { countOf, humanBytes } from '../../../../lib/text.ts';
import type { HistoryItem } from '../../../../model/ledger/history.ts';
import { cellText, cutEnd, cutName, wrap } from '../../cells.ts';
import { columnPlacer, headerLine, rowLine, type Column, type Format, type TableStyle } from '../../layout.ts';

/** A history that can be walked more than once. `unreadable` is known when it has been walked. */
export interface ShownHistory {
  readonly items: () => Iterable<HistoryItem>;
  readonly unreadable: () => number;
}

/** The removals as a table with closing lines, newest last. Walks the history twice, and holds none of it. */
export function historyTable(history: ShownHistory, style: TableStyle): Generator<string> {
  return inPieces(tableLines(history, style));
}

function* tableLines({ items, unreadable }: ShownHistory, style: TableStyle): Generator<string> {
  const columns = style.wide === true ? [...COLUMNS, ...WIDE_COLUMNS] : COLUMNS;
  const placer = columnPlacer(columns);
  const outcomes = new Map<string, { files: number; bytes: number }>();
  let count = 0;
  for (const item of items()) {
    placer.add(item);
    count += 1;
    const outcome = outcomes.get(outcomeOf(item)) ?? { files: 0, bytes: 0 };
    outcomes.set(outcomeOf(item), { files: outcome.files + 1, bytes: outcome.bytes + item.allocatedBytes });
  }
  const placed = placer.place(style.width);
  if (count > 0) yield headerLine(placed, style.colour);
  for (const item of items()) yield rowLine(placed, item, style.colour);
  const parts = [...outcomes].map(([outcome, { files, bytes }]) => `${files} ${outcome} (${humanBytes(bytes)})`);
  const closing = count === 0 ? 'No removal is recorded that matches.' : `${countOf(count, 'record')}: ${parts.join(', ')}.`;
  yield `${wrap(closing, style.width, '  ')}\n`;
  if (unreadable() > 0)
    yield `${wrap(`${countOf(unreadable(), 'line')} could not be read: basekeeper audit says which.`, style.width, '  ')}\n`;
}

const COLUMNS: readonly Column<HistoryItem>[] = [
  { header: 'TIME', align: 'left', text: ({ at }) => cellText(at.replace(/\.\d+Z$/, 'Z')) },
  { header: 'OUTCOME', align: 'left', text: outcomeOf, format: formatOf },
  { header: 'FILE', align: 'left', text: (item) => cellText(item.name), cut: cutName, least: 17 },
  { header: 'SIZE', align: 'right', text: ({ allocatedBytes }) => humanBytes(allocatedBytes) },
  { header: 'REASON', align: 'left', text: ({ reason }) => cellText(reason), expendable: 3 },
  { header: 'ASKED BY', align: 'left', text: ({ askedBy = '-' }) => cellText(askedBy), cut: cutEnd, least: 8, expendable: 2 },
];

const WIDE_COLUMNS: readonly Column<HistoryItem>[] = [
  { header: 'ACTION', align: 'left', text: ({ action }) => action },
  { header: 'KIND', align: 'left', text: ({ kind }) => cellText(kind) },
  { header: 'LAST USE', align: 'left', text: ({ modifiedAt }) => cellText(modifiedAt) },
  { header: 'INODE', align: 'right', text: ({ inode }) => cellText(inode) },
  { header: 'RECORD', align: 'right', text: ({ seq }) => String(seq) },
  { header: 'PASS', align: 'right', text: ({ pass }) => String(pass) },
  { header: 'EVIDENCE', align: 'right', text: ({ evidence }) => String(evidence) },
  { header: 'MESSAGE', align: 'left', text: ({ message = '' }) => cellText(message) },
];

function outcomeOf({ outcome }: HistoryItem): string {
  return outcome === undefined ? 'unknown' : cellText(outcome);
}

function formatOf({ outcome }: HistoryItem): Format | undefined {
  if (outcome === 'removed' || outcome === 'trashed' || outcome === 'emptied') return 'red';
  return outcome === 'restored' ? 'green' : 'yellow';
}
