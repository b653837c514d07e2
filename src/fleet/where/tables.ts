import { countOf, humanBytes, listSome } from '../../lib/text.ts';
import { cellText, cutEnd, cutName, shortAge, wrap } from '../../report/terminal/cells.ts';
import { headerLine, placeColumns, rowLine, type Column, type TableStyle } from '../../report/terminal/layout.ts';
import { agoText } from '../ago.ts';
import type { LocatedFile } from './located-files.ts';
import type { NodePlace } from './node-place.ts';

const NODES_SHOWN = 5;
const FAILURES_SHOWN = 5;
const USERS_SHOWN = 3;

/** What is known of one image on all nodes. */
export interface Whereabouts {
  readonly subject: string;
  /** Every node that was asked about, in order. */
  readonly places: readonly NodePlace[];
  /** What the agents answered; undefined where none was asked. */
  readonly files?: readonly LocatedFile[];
  /** Nodes whose agents did not answer, and why. */
  readonly failures: ReadonlyMap<string, string>;
}

/** The nodes that have files of the image, in pieces of whole lines, with a closing line. `nowMs`: wall clock. */
export function* whereText(found: Whereabouts, style: TableStyle, nowMs: number): Generator<string> {
  const { places, files } = found;
  const having = places.filter(({ answer }) => answer === 'has');
  if (files === undefined && having.length > 0) yield* tableRows(placeColumnsAt(nowMs), having, style);
  if (files !== undefined && files.length > 0) yield* tableRows(fileColumnsAt(nowMs), files, style);
  for (const line of closingLines(found)) yield `${wrap(line, style.width, '  ')}\n`;
}

/** A table that is drawn in one go: its headers, and a line for each row. */
export function* tableRows<Row>(all: readonly Column<Row>[], items: readonly Row[], { width, colour }: TableStyle): Generator<string> {
  const columns = placeColumns(all, items, width);
  yield headerLine(columns, colour);
  for (const item of items) yield rowLine(columns, item, colour);
}

function placeColumnsAt(nowMs: number): readonly Column<NodePlace>[] {
  return [
    { header: 'NODE', align: 'left', text: ({ node }) => cellText(node), cut: cutEnd, least: 12 },
    { header: 'STATE', align: 'left', text: ({ state = '-' }) => state },
    { header: 'LAST PASS', align: 'right', text: ({ lastPass }) => agoText(lastPass, nowMs) },
  ];
}

function fileColumnsAt(nowMs: number): readonly Column<LocatedFile>[] {
  return [
    { header: 'NODE', align: 'left', text: ({ node }) => cellText(node), cut: cutEnd, least: 12 },
    { header: 'FILE', align: 'left', text: ({ file }) => cellText(file), cut: cutName, least: 12 },
    { header: 'SIZE', align: 'right', text: ({ allocatedBytes }) => humanBytes(allocatedBytes) },
    { header: 'STATE', align: 'left', text: ({ state }) => state },
    { header: 'LAST USE', align: 'right', text: ({ since }) => agoText(since, nowMs) },
    { header: 'GOES', align: 'left', text: (file) => whenOf(file, nowMs) },
    {
      header: 'USED BY',
      align: 'left',
      text: ({ usedBy }) => cellText(listSome(usedBy, USERS_SHOWN)),
      cut: cutEnd,
      least: 10,
      expendable: 1,
    },
  ];
}

function whenOf({ goesAt, state, dryRun }: LocatedFile, nowMs: number): string {
  if (state === 'held') return 'held';
  if (goesAt === undefined) return '-';
  const seconds = (Date.parse(goesAt) - nowMs) / 1000;
  if (seconds > 0) return `in ${shortAge(seconds)}`;
  return dryRun === true ? 'dry run' : 'next pass';
}

function* closingLines({ subject, places, files, failures }: Whereabouts): Generator<string> {
  const nodes = (answer: NodePlace['answer']) => places.filter((place) => place.answer === answer).map(({ node }) => node);
  const having = files === undefined ? nodes('has').length : new Set(files.map(({ node }) => node)).size;
  const seen: readonly (string | undefined)[] = (files ?? places.filter(({ answer }) => answer === 'has')).map(({ state }) => state);
  const states = [...Map.groupBy(seen, (state) => state ?? '-')];
  const counts = states.map(([state, some]) => `${some.length} ${state}`).toSorted();
  const bytes = files === undefined ? '' : `, ${humanBytes(files.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0))}`;
  const what = having === 0 ? '' : ` (${counts.join(', ')})${bytes}`;
  yield `${having} of ${countOf(places.length, 'node')} ${having === 1 || places.length === 1 ? 'has' : 'have'} files of ${cellText(subject)}${what}.`;
  const silent = nodes('silent');
  if (silent.length > 0) yield `Unknown of ${countOf(silent.length, 'node')} without an agent: ${listSome(silent, NODES_SHOWN)}.`;
  const unsaid = nodes('unsaid');
  if (files === undefined && unsaid.length > 0)
    yield `Unknown of ${countOf(unsaid.length, 'node')} without a full list: ${listSome(unsaid, NODES_SHOWN)}. Ask their agents with --wide.`;
  for (const [node, why] of [...failures].slice(0, FAILURES_SHOWN)) yield `Unknown of ${node}: ${cellText(why)}`;
  const unshown = failures.size - FAILURES_SHOWN;
  if (unshown > 0) yield `Unknown of ${countOf(unshown, 'more node')} whose agents did not answer: -o json says why.`;
}
