import type { HistoryItem } from '../../model/ledger/history.ts';
import { cellText } from '../../report/terminal/cells.ts';
import { historyTable } from '../../report/terminal/ledger/history/table.ts';
import { historyDocument, JSON_FORMAT, type WrittenHistory } from '../../report/terminal/ledger/history/document.ts';
import { printResult, type OutputFormat, type PrintContext } from '../output.ts';

/** Prints a history to stdout, newest last. It is read while it is printed. */
export async function printHistory(history: WrittenHistory, output: OutputFormat, context: PrintContext): Promise<void> {
  let unreadable = 0;
  const items = function* (): Generator<HistoryItem> {
    const reading = history.entries();
    let next = reading.next();
    for (; next.done !== true; next = reading.next()) if (next.value !== undefined) yield next.value.item;
    unreadable = next.value.unreadable;
  };
  const names = function* (): Generator<string> {
    for (const { name } of items()) yield cellText(name);
  };
  const printed = {
    text: (style: Parameters<typeof historyTable>[1]) =>
      historyTable({ items: walkable(history, items), unreadable: () => unreadable }, style),
    document: undefined,
    pieces: {
      json: () => Promise.resolve(historyDocument(history, JSON_FORMAT)),
      // The YAML library is much of what a command loads.
      yaml: async () => historyDocument(history, (await import('../../report/terminal/ledger/history/yaml.ts')).YAML_FORMAT),
    },
    names,
  };
  await printResult(printed, output, context);
}

/** A table is walked twice: what has a limit is read once and held. */
function walkable({ isShort }: WrittenHistory, items: () => Iterable<HistoryItem>): () => Iterable<HistoryItem> {
  if (!isShort) return items;
  const held = [...items()];
  return () => held;
}
