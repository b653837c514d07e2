import type { BudgetPlan, Plan, PlannedFile, PressurePlan, SharedStorageReport, Verdict } from '../../../model/plan.ts';
import type { Report } from '../../../model/report.ts';
import { closingLines, ReasonTotals } from './closing.ts';
import { columnPlacer, headerLine, paint, rowLine, type Column, type Format, type PlacedColumn, type TableStyle } from '../layout.ts';
import { trashLines } from '../trash.ts';
import { inPieces } from '../../../lib/pieces.ts';
import { cellText, cutEnd, cutName, cutStart, shortAge, widthOf, wrap } from '../cells.ts';
import { countOf, humanBytes, listSome } from '../../../lib/text.ts';

/** Users named in a row: a popular image has hundreds. */
const USERS_SHOWN = 3;
/** What is about to go stands last, just above the summary, where a reader of a long list looks. */
const VERDICT_ORDER: readonly Verdict[] = ['keep', 'touch', 'remove'];

/**
 * A plan or report for people: gate, one row per base file, findings, summary. Pure; ages are those of the plan.
 */
export function planTable(plan: Plan | Report, style: TableStyle): Generator<string> {
  return inPieces(tableLines(plan, style));
}

function* tableLines(plan: Plan | Report, style: TableStyle): Generator<string> {
  yield* openingLines(plan, style);
  const totals = new ReasonTotals();
  if (plan.files.length > 0) {
    const { columns, verdicts } = survey(plan, totals, style);
    yield `\n${headerLine(columns, style.colour)}`;
    for (const verdict of VERDICT_ORDER.keys()) yield* rowsOf(plan, verdicts, verdict, columns, style);
  }
  yield* trashLines(plan, style);
  yield* closingLines(plan, totals, style);
}

/** Rows are made when somebody looks, so they are looked at twice: here for widths, sums and the verdicts' places in `VERDICT_ORDER`, and when they are drawn. */
function survey(plan: Plan | Report, totals: ReasonTotals, style: TableStyle) {
  const verdicts = new Uint8Array(plan.files.length);
  const placer = columnPlacer(columnsOf(plan, style));
  let index = 0;
  for (const file of plan.files) {
    placer.add(file);
    totals.add(file);
    verdicts[index] = VERDICT_ORDER.indexOf(file.verdict);
    index += 1;
  }
  return { columns: placer.place(style.width), verdicts };
}

function* rowsOf(
  { files }: Plan | Report,
  verdicts: Uint8Array,
  verdict: number,
  columns: readonly PlacedColumn<PlannedFile>[],
  { colour }: TableStyle,
): Generator<string> {
  for (let index = verdicts.indexOf(verdict); index !== -1; index = verdicts.indexOf(verdict, index + 1)) {
    const file = files.at(index);
    if (file !== undefined) yield rowLine(columns, file, colour);
  }
}

function* openingLines(plan: Plan | Report, { colour, width }: TableStyle): Generator<string> {
  const taken = plan.takenAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
  const preset = plan.preset === 'safe' ? '' : `, preset ${plan.preset}`;
  yield `${paint(`${plan.kind} for ${cellText(plan.node)}`, 'bold', colour)} at ${taken}: ${cellText(plan.basePath)}${preset}\n`;
  for (const source of plan.sources) {
    const detail =
      source.state === 'synced' ? countOf(source.workloads, 'workload') : cellText(source.message ?? 'nothing can come from it');
    const gaps = source.gaps > 0 ? `, ${countOf(source.gaps, 'gap')}` : '';
    yield `Source ${cellText(source.name)}: ${source.state}, ${detail}${gaps}\n`;
  }
  if (plan.gate.open) yield `Gate: ${paint('open', 'green', colour)}, removals are allowed\n`;
  else if (plan.gate.reasons.length > 0) yield `Gate: ${paint('closed', 'yellow', colour)}, nothing is removed\n`;
  for (const { reason, message } of plan.gate.reasons) {
    const line = wrap(`  ${reason}: ${cellText(message)}`, width, '    ');
    yield `  ${paint(reason, 'yellow', colour)}${line.slice(2 + reason.length)}\n`;
  }
  if (plan.sharedStorage !== undefined) yield storageLine(plan.sharedStorage);
  if (plan.pressure !== undefined) yield pressureLine(plan.pressure);
  if (plan.budget !== undefined) yield budgetLine(plan.budget);
}

function storageLine({ hosts }: SharedStorageReport): string {
  const counts = Map.groupBy(
    hosts.filter(({ state }) => state !== 'own'),
    ({ state }) => state,
  );
  const others = [...counts].map(([state, found]) => `${found.length} ${state}`).join(', ');
  return `Shared with: ${others === '' ? 'no other host' : `other hosts: ${others}`}\n`;
}

function pressureLine({ usedPercent, bytesToFree, plannedBytes, projectedUsedPercent }: PressurePlan): string {
  return `Pressure: the file system is ${usedPercent} % full, ${humanBytes(bytesToFree)} to free; planned: ${humanBytes(plannedBytes)}, then ${projectedUsedPercent} %\n`;
}

function budgetLine({ maxBytes, heldBytes, unseenEntries, bytesToFree, plannedBytes, projectedBytes, waitingFiles }: BudgetPlan): string {
  const held = `${unseenEntries === undefined ? '' : 'more than '}${humanBytes(heldBytes)}`;
  const line = `Budget: the cache holds ${held} of ${humanBytes(maxBytes)}`;
  if (bytesToFree === 0) return `${line}\n`;
  const later = waitingFiles === undefined ? '' : `; ${countOf(waitingFiles, 'file')} may go in the next passes`;
  return `${line}, ${humanBytes(bytesToFree)} to free; planned: ${humanBytes(plannedBytes)}, then ${humanBytes(projectedBytes)}${later}\n`;
}

function columnsOf(plan: Plan | Report, { wide }: TableStyle): readonly Column<PlannedFile>[] {
  const decided: Column<PlannedFile> =
    plan.kind === 'Report'
      ? { header: 'OUTCOME', align: 'left', text: ({ outcome }) => outcome ?? '', format: outcomeFormat }
      : { header: 'VERDICT', align: 'left', text: ({ verdict }) => verdict, format: ({ verdict }) => VERDICT_FORMATS[verdict] };
  return [
    { header: 'NAME', align: 'left', text: ({ name }) => cellText(name), cut: cutName, least: 17 },
    { header: 'KIND', align: 'left', text: ({ kind }) => kind },
    { header: 'SIZE', align: 'right', text: ({ allocatedBytes }) => humanBytes(allocatedBytes) },
    { header: 'AGE', align: 'right', text: ({ ageSeconds }) => shortAge(ageSeconds), expendable: 1 },
    decided,
    { header: 'REASON', align: 'left', text: ({ reason }) => reason },
    { header: 'USED BY', align: 'left', text: wide === true ? allUsersOf : usersOf, cut: cutUsers, least: 8, expendable: 2 },
  ];
}

const VERDICT_FORMATS: Readonly<Record<Verdict, Format | undefined>> = { keep: undefined, touch: 'cyan', remove: 'red' };

function outcomeFormat({ outcome, verdict }: PlannedFile): Format | undefined {
  if (outcome === 'removed' || outcome === 'trashed') return 'red';
  if (outcome === 'touched') return 'cyan';
  if (outcome === 'kept') return undefined;
  return verdict === 'keep' ? undefined : 'yellow';
}

function usersOf({ usedBy }: PlannedFile): string {
  const names = namesOf(usedBy);
  return listSome(names.slice(0, USERS_SHOWN).map(cellText), USERS_SHOWN, names.length);
}

function allUsersOf({ usedBy }: PlannedFile): string {
  return namesOf(usedBy).map(cellText).join(', ');
}

function cutUsers(text: string, columns: number, { usedBy }: PlannedFile): string {
  if (widthOf(text) <= columns) return text;
  const names = namesOf(usedBy);
  return names.length === 1 ? cutStart(text, columns) : cutEnd(`${names.length} users`, columns);
}

function namesOf(usedBy: PlannedFile['usedBy']): readonly string[] {
  return usedBy.length < 2 ? usedBy.map(({ by }) => by) : [...new Set(usedBy.map(({ by }) => by))];
}
