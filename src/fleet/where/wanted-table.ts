import { countOf, listSome } from '../../lib/text.ts';
import { cellText, cutEnd, shortAge, wrap } from '../../report/terminal/cells.ts';
import { headerLine, placeColumns, rowLine, type Column, type TableStyle } from '../../report/terminal/layout.ts';
import type { NodeStatus } from '../node-status.ts';

const NODES_SHOWN = 5;

/** A node on which somebody wants images. */
export interface WantedThere {
  readonly node: string;
  readonly present: number;
  /** The first of the missing images; `more` are not among them. */
  readonly missing: readonly string[];
  readonly more: number;
  /** RFC 3339. */
  readonly lastPass?: string;
}

/** The nodes that say something about wanted images, in the order that they are given. */
export function wantedThere(statuses: readonly NodeStatus[]): readonly WantedThere[] {
  return statuses.flatMap(({ node, lastPass, wanted }) => {
    if (wanted === undefined || wanted.present + wanted.missing.length + wanted.more === 0) return [];
    return [{ node, ...wanted, ...(lastPass === undefined ? {} : { lastPass }) }];
  });
}

/** Them as a table with a closing line, in pieces of whole lines. `nodes`: how many were asked. `nowMs`: wall clock. */
export function* wantedTable(items: readonly WantedThere[], nodes: number, style: TableStyle, nowMs: number): Generator<string> {
  const columns = placeColumns(columnsAt(nowMs, style.wide === true), items, style.width);
  if (items.length > 0) yield headerLine(columns, style.colour);
  for (const item of items) yield rowLine(columns, item, style.colour);
  const lacking = items.filter(({ missing, more }) => missing.length + more > 0).map(({ node }) => node);
  const state = lacking.length === 0 ? 'all have them' : `${lacking.length} lack some: ${listSome(lacking, NODES_SHOWN)}`;
  const closing =
    items.length === 0
      ? `No image is wanted on ${countOf(nodes, 'node')}.`
      : `Images are wanted on ${items.length} of ${countOf(nodes, 'node')}; ${state}.`;
  yield `${wrap(cellText(closing), style.width, '  ')}\n`;
}

function columnsAt(nowMs: number, wide: boolean): readonly Column<WantedThere>[] {
  return [
    { header: 'NODE', align: 'left', text: ({ node }) => cellText(node), cut: cutEnd, least: 12 },
    { header: 'PRESENT', align: 'right', text: ({ present }) => String(present) },
    {
      header: 'MISSING',
      align: 'right',
      text: ({ missing, more }) => String(missing.length + more),
      format: ({ missing, more }) => (missing.length + more > 0 ? 'yellow' : undefined),
    },
    {
      header: 'LAST PASS',
      align: 'right',
      text: ({ lastPass }) => (lastPass === undefined ? '-' : `${shortAge((nowMs - Date.parse(lastPass)) / 1000)} ago`),
    },
    {
      header: 'MISSING IMAGES',
      align: 'left',
      text: ({ missing, more }) => cellText(listSome(missing, wide ? Infinity : 2, missing.length + more)),
      cut: cutEnd,
      least: 12,
    },
  ];
}
