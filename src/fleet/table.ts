import { agoText } from './ago.ts';
import type { NodeStatus } from './node-status.ts';
import { headerLine, placeColumns, rowLine, type Column, type TableStyle } from '../report/terminal/layout.ts';
import { cellText, cutEnd, wrap } from '../report/terminal/cells.ts';
import { countOf, humanBytes } from '../lib/text.ts';

const UNKNOWN = '-';
/** What is not a problem is not coloured. */
const COLOURS: Readonly<Record<string, 'yellow' | 'red'>> = { Held: 'yellow', Skipped: 'yellow', Failed: 'red' };

/** All nodes as a table with a closing line, in pieces of whole lines. `nowMs`: wall clock. */
export function* fleetTable(nodes: readonly NodeStatus[], style: TableStyle, nowMs: number): Generator<string> {
  const columns = placeColumns(columnsAt(nowMs, style), nodes, style.width);
  yield headerLine(columns, style.colour);
  for (const node of nodes) yield rowLine(columns, node, style.colour);
  yield `${wrap(closingLine(nodes), style.width, '  ')}\n`;
}

/** Rows that come a few at a time, below one line of headers; the first ones decide how wide the columns are. */
export function fleetRows(style: TableStyle): (nodes: readonly NodeStatus[], nowMs: number) => Generator<string> {
  let widths: ReadonlyMap<string, number> | undefined;
  return function* (nodes, nowMs) {
    if (widths === undefined) {
      const placed = placeColumns(columnsAt(nowMs, style), nodes, style.width);
      widths = new Map(placed.map(({ header, width }) => [header, width]));
      yield headerLine(placed, style.colour);
    }
    const columns = columnsAt(nowMs, style).flatMap((column) => {
      const width = widths?.get(column.header);
      return width === undefined ? [] : [{ ...column, width }];
    });
    for (const node of nodes) yield rowLine(columns, node, style.colour);
  };
}

function columnsAt(nowMs: number, { wide }: TableStyle): readonly Column<NodeStatus>[] {
  return [
    { header: 'NODE', align: 'left', text: ({ node }) => node, cut: cutEnd, least: 12 },
    { header: 'MODE', align: 'left', text: ({ mode }) => mode ?? UNKNOWN, cut: cutEnd, least: 7, expendable: 2 },
    {
      header: 'RESULT',
      align: 'left',
      text: ({ result }) => result ?? UNKNOWN,
      cut: cutEnd,
      least: 9,
      format: ({ result = '' }) => (Object.hasOwn(COLOURS, result) ? COLOURS[result] : undefined),
    },
    { header: 'LAST PASS', align: 'right', text: ({ lastPass }) => agoText(lastPass, nowMs) },
    { header: 'FILES', align: 'right', text: ({ cache }) => (cache === undefined ? UNKNOWN : String(cache.total[0])), expendable: 1 },
    { header: 'CACHED', align: 'right', text: ({ cache }) => (cache === undefined ? UNKNOWN : humanBytes(cache.total[1])) },
    { header: 'RECLAIMABLE', align: 'right', text: ({ cache }) => (cache === undefined ? UNKNOWN : humanBytes(cache.reclaimable[1])) },
    ...(wide === true ? [{ header: 'LAST REMOVAL', align: 'left', text: (status: NodeStatus) => removalOf(status, nowMs) } as const] : []),
    { header: 'HELD BECAUSE', align: 'left', text: whyOf, cut: cutEnd, least: 12, expendable: 3 },
  ];
}

/** Why nothing is removed: gate reasons, or what a pass that came to nothing says. */
function whyOf({ result, held, summary = '', agentProblem }: NodeStatus): string {
  if (agentProblem !== undefined) return `the agent does not run: ${agentProblem}`;
  if (result === undefined) return 'no agent has written here';
  return result === 'Failed' || result === 'Skipped' ? summary : held.join(', ');
}

function removalOf({ lastRemoval }: NodeStatus, nowMs: number): string {
  return lastRemoval === undefined ? UNKNOWN : `${cellText(lastRemoval.what)}, ${agoText(lastRemoval.at, nowMs)}`;
}

function closingLine(nodes: readonly NodeStatus[]): string {
  const results = Map.groupBy(nodes, ({ result }) => result ?? 'without an agent');
  const counts = [...results].map(([result, some]) => `${some.length} ${result}`).toSorted();
  const sum = (amount: 'total' | 'reclaimable') => nodes.reduce((bytes, { cache }) => bytes + (cache?.[amount][1] ?? 0), 0);
  const held = counts.length === 0 ? '' : ` (${counts.join(', ')})`;
  return `${countOf(nodes.length, 'node')}${held}: ${humanBytes(sum('total'))} cached, ${humanBytes(sum('reclaimable'))} reclaimable`;
}
