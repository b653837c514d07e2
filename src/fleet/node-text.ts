import { NODE_ANNOTATIONS } from '../model/annotation-keys.ts';
import { type Finding, type Gate } from '../model/plan.ts';
import { FILE_STATES, GATE_REASONS } from '../model/reasons.ts';
import { BASE_FILE_KINDS } from '../model/scan.ts';
import type { CacheSummary } from '../report/node/cache-summary.ts';
import { agoText } from './ago.ts';
import type { NodeStatus } from './node-status.ts';
import { headerLine, paint, placeColumns, rowLine, type Column } from '../report/terminal/layout.ts';
import { cellText } from '../report/terminal/cells.ts';
import { countOf, humanBytes } from '../lib/text.ts';
import { wantedLine, wantsNone } from '../report/wanted.ts';

/** More findings are for `/report`. */
const MAX_FINDINGS = 20;

/** What the agent itself says of its last pass, where it can be reached. */
export interface LiveStatus {
  readonly gate: Gate;
  readonly findings: readonly Finding[];
}

/** One node for people, in pieces of whole lines. `live` undefined: from the annotations alone. `nowMs`: wall clock. */
export function* nodeStatusText(status: NodeStatus, live: LiveStatus | undefined, nowMs: number, colour: boolean): Generator<string> {
  yield `${paint(cellText(status.node), 'bold', colour)}\n`;
  for (const [label, lines] of fieldsOf(status, live, nowMs)) {
    for (const [index, line] of lines.entries()) yield `  ${(index === 0 ? label : '').padEnd(10)} ${line}\n`;
  }
  const rows = rowsOf(status.cache);
  if (rows.length === 0) return;
  const columns = placeColumns(COLUMNS, rows, undefined);
  yield `\n${headerLine(columns, colour)}`;
  for (const row of rows) yield rowLine(columns, row, colour);
}

function fieldsOf(status: NodeStatus, live: LiveStatus | undefined, nowMs: number): readonly (readonly [string, readonly string[]])[] {
  const { mode, modeFrom, result, lastPass, summary, cache, waitingFor, agentProblem } = status;
  const age = lastPass === undefined ? '' : `${lastPass.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}, ${agoText(lastPass, nowMs)}`;
  return [
    [
      'Mode',
      [mode === undefined ? 'as configured' : `${mode}${modeFrom === 'annotation' ? ` (by the annotation ${NODE_ANNOTATIONS.mode})` : ''}`],
    ],
    ['Last pass', [result === undefined ? 'no agent has written here' : [result, age].filter(Boolean).join(', ')]],
    ['Summary', summary === undefined ? [] : [summary]],
    ['Removed', removedLines(status, nowMs)],
    ['Agent', agentProblem === undefined ? [] : [`does not run: ${cellText(agentProblem)}`]],
    ['Cache', cache === undefined ? [] : [amounts(cache)]],
    ['Wanted', status.wanted === undefined || wantsNone(status.wanted) ? [] : [cellText(wantedLine(status.wanted))]],
    ['Held by', live === undefined ? status.held.map((reason) => `${reason}: ${GATE_REASONS[reason]}`) : closures(live.gate)],
    ['Findings', live === undefined ? [] : findingLines(live.findings)],
    ['Waiting', waitingFor === undefined ? [] : [`for the pass that ${NODE_ANNOTATIONS.runNow}=${waitingFor} asks for`]],
  ];
}

function removedLines({ lastRemoval }: NodeStatus, nowMs: number): string[] {
  return lastRemoval === undefined ? [] : [`${cellText(lastRemoval.what)}, ${agoText(lastRemoval.at, nowMs)}`];
}

function amounts({ total, reclaimable, removed }: CacheSummary): string {
  return [amount(total, 'in all'), amount(reclaimable, 'reclaimable'), amount(removed, 'removed by the last pass')].join('; ');
}

function amount([files, bytes]: readonly [number, number], what: string): string {
  return `${countOf(files, 'file')} ${what}, ${humanBytes(bytes)}`;
}

function closures({ reasons }: Gate): string[] {
  return reasons.map(({ reason, message }) => cellText(`${reason}: ${message}`));
}

function findingLines(findings: readonly Finding[]): string[] {
  const shown = findings.slice(0, MAX_FINDINGS).map(({ type, workload, message }) => [type, workload, message].filter(Boolean).join(': '));
  const more = findings.length - shown.length;
  return [...shown.map(cellText), ...(more > 0 ? [`and ${more} more`] : [])];
}

interface Row {
  readonly kind: string;
  readonly state: string;
  readonly files: number;
  readonly bytes: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: '  KIND', align: 'left', text: ({ kind }) => `  ${kind}` },
  { header: 'STATE', align: 'left', text: ({ state }) => state },
  { header: 'FILES', align: 'right', text: ({ files }) => String(files) },
  { header: 'SIZE', align: 'right', text: ({ bytes }) => humanBytes(bytes) },
];

function rowsOf(cache: CacheSummary | undefined): readonly Row[] {
  return BASE_FILE_KINDS.flatMap((kind) =>
    FILE_STATES.flatMap((state) => {
      const cell = cache?.kinds?.[kind]?.[state];
      return cell === undefined ? [] : [{ kind, state, files: cell[0], bytes: cell[1] }];
    }),
  );
}
