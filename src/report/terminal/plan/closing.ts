import type { Finding, Plan, PlannedFile } from '../../../model/plan.ts';
import type { Report } from '../../../model/report.ts';
import { FINDINGS, OUTCOMES, VERDICT_REASONS, type FindingType, type Outcome, type VerdictReason } from '../../../model/reasons.ts';
import { headerLine, paint, placeColumns, rowLine, type Column, type TableStyle } from '../layout.ts';
import { movedParts } from '../../trash.ts';
import { cellText, cutEnd, wrap } from '../cells.ts';
import { countOf, humanBytes } from '../../../lib/text.ts';

/** Findings of one type that are shown one by one; `wide` has all of them. */
const FINDINGS_SHOWN = 20;

/** A VM has lost its disk, or may have. */
const SEVERE: ReadonlySet<FindingType> = new Set(['BackingFileMissing', 'OverlayUnreadable', 'Unseen']);

/** Below the rows: files by reason, findings by type, and what it comes to. */
export function* closingLines(plan: Plan | Report, totals: ReasonTotals, style: TableStyle): Generator<string> {
  yield* reasonLines(totals, style);
  yield* findingLines(plan.findings, style);
  yield `\n${summaryLine(plan, style)}\n`;
}

interface ReasonTotal {
  readonly reason: string;
  readonly meaning: string;
  files: number;
  bytes: number;
}

/** Files and bytes by reason, added up row by row. */
export class ReasonTotals {
  readonly #totals = new Map<string, ReasonTotal>();

  add(file: PlannedFile): void {
    const { key, meaning } = groupOf(file);
    let total = this.#totals.get(key);
    if (total === undefined) this.#totals.set(key, (total = { reason: key, meaning, files: 0, bytes: 0 }));
    total.files += 1;
    total.bytes += file.allocatedBytes;
  }

  rows(): readonly ReasonTotal[] {
    const order: readonly string[] = [...Object.keys(VERDICT_REASONS), ...Object.keys(OUTCOMES)];
    return [...this.#totals.values()].toSorted((left, right) => order.indexOf(left.reason) - order.indexOf(right.reason));
  }
}

function* reasonLines(totals: ReasonTotals, style: TableStyle): Generator<string> {
  const rows = totals.rows();
  if (rows.length === 0) return;
  const columns = placeColumns(REASON_COLUMNS, rows, style.width);
  yield `\n${headerLine(columns, style.colour)}`;
  for (const row of rows) yield rowLine(columns, row, style.colour);
}

/** Why a file is still there, or that it is not: an outcome that differs from the verdict says more than the verdict's reason. */
function groupOf({ reason, verdict, outcome }: PlannedFile): { key: VerdictReason | Outcome; meaning: string } {
  const decided = verdict === 'remove' && outcome !== undefined && outcome !== 'kept';
  return decided || outcome === 'TouchFailed'
    ? { key: outcome, meaning: OUTCOMES[outcome] }
    : { key: reason, meaning: VERDICT_REASONS[reason] };
}

const REASON_COLUMNS: readonly Column<ReasonTotal>[] = [
  { header: 'REASON', align: 'left', text: ({ reason }) => reason },
  { header: 'FILES', align: 'right', text: ({ files }) => String(files) },
  { header: 'SIZE', align: 'right', text: ({ bytes }) => humanBytes(bytes) },
  { header: 'MEANING', align: 'left', text: ({ meaning }) => meaning, cut: cutEnd, least: 20 },
];

function* findingLines(findings: readonly Finding[], { colour, width, wide }: TableStyle): Generator<string> {
  const shown = wide === true ? findings.length : FINDINGS_SHOWN;
  for (const [type, ofType] of Map.groupBy(findings, (finding) => finding.type)) {
    const meaning = wrap(`${type}: ${Object.hasOwn(FINDINGS, type) ? FINDINGS[type] : ''}`, width, '  ').slice(type.length);
    yield `\n${paint(type, SEVERE.has(type) ? 'red' : 'yellow', colour)}${meaning}\n`;
    for (const { workload, file, message } of ofType.slice(0, shown)) {
      const about = [workload, file].filter((part) => part !== undefined && !message.includes(part));
      yield `${wrap(`  ${[...about, message].map((part) => cellText(part ?? '')).join(': ')}`, width, '    ')}\n`;
    }
    if (ofType.length > shown) yield `  and ${ofType.length - shown} more; --output wide shows all\n`;
  }
}

const NOTHING_MOVED = { trashedFiles: 0, trashedBytes: 0, restoredFiles: 0, restoredBytes: 0, emptiedFiles: 0, emptiedBytes: 0 };

function summaryLine(plan: Plan | Report, { colour }: TableStyle): string {
  const { totals, gate } = plan;
  const report = plan.kind === 'Report' ? plan : undefined;
  const moved = plan.trash?.totals ?? NOTHING_MOVED;
  const removable = totals.reclaimableFiles - totals.removedFiles - moved.trashedFiles;
  const removableBytes = totals.reclaimableBytes - totals.removedBytes - moved.trashedBytes;
  const parts = [
    `${countOf(totals.files, 'base file')}, ${humanBytes(totals.allocatedBytes)}`,
    ...(report === undefined ? [] : [`${totals.removedFiles} removed, ${humanBytes(totals.removedBytes)}`]),
    ...movedParts(moved),
    ...(report === undefined || removable > 0 ? [`${removable} removable, ${humanBytes(removableBytes)}`] : []),
    ...(gate.reasons.length === 0 ? [] : [`held: ${gate.reasons.map(({ reason }) => reason).join(', ')}`]),
  ];
  if (report === undefined) return paint(parts.join('; '), 'bold', colour);
  const format = ({ Succeeded: 'green', Failed: 'red', DryRun: 'bold', Held: 'yellow', Skipped: 'yellow' } as const)[report.result];
  const message = report.message === undefined ? '' : ` (${cellText(report.message)})`;
  return `${paint(report.result, format, colour)} in ${report.durationSeconds.toFixed(1)} s${message}: ${parts.join('; ')}`;
}
