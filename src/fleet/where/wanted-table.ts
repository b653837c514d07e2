import { countOf, listSome } from '../../lib/text.ts';
import { missingCount, wantsNone, type WantedSummary } from '../../report/wanted.ts';
import { cellText, cutEnd, wrap } from '../../report/terminal/cells.ts';
import type { Column, TableStyle } from '../../report/terminal/layout.ts';
import { agoText } from '../ago.ts';
import type { NodeStatus } from '../node-status.ts';
import { tableRows } from './tables.ts';

const NODES_SHOWN = 5;

/** A node on which somebody wants images. */
export interface WantedThere extends WantedSummary {
  readonly node: string;
  /** RFC 3339. */
  readonly lastPass?: string;
}

/** The nodes that say something about wanted images, in the order that they are given. */
export function wantedThere(statuses: readonly NodeStatus[]): readonly WantedThere[] {
  return statuses.flatMap(({ node, lastPass, wanted }) => {
    if (wanted === undefined || wantsNone(wanted)) return [];
    return [{ node, ...wanted, ...(lastPass === undefined ? {} : { lastPass }) }];
  });
}

/** Them as a table with a closing line, in pieces of whole lines. `nodes`: how many were asked. `nowMs`: wall clock. */
export function* wantedTable(items: readonly WantedThere[], nodes: number, style: TableStyle, nowMs: number): Generator<string> {
  if (items.length > 0) yield* tableRows(columnsAt(nowMs, style.wide === true), items, style);
  const lacking = items.filter((item) => missingCount(item) > 0).map(({ node }) => node);
  const state =
    lacking.length === 0
      ? 'all have them'
      : `${lacking.length} ${lacking.length === 1 ? 'lacks' : 'lack'} some: ${listSome(lacking, NODES_SHOWN)}`;
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
      text: (item) => String(missingCount(item)),
      format: (item) => (missingCount(item) > 0 ? 'yellow' : undefined),
    },
    {
      header: 'LAST PASS',
      align: 'right',
      text: ({ lastPass }) => agoText(lastPass, nowMs),
    },
    {
      header: 'MISSING IMAGES',
      align: 'left',
      text: (item) => cellText(listSome(item.missing, wide ? Infinity : 2, missingCount(item))),
      cut: cutEnd,
      least: 12,
    },
  ];
}
