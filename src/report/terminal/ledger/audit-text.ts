import { countOf } from '../../../lib/text.ts';
import type { LedgerAudit, LedgerProblem } from '../../../model/ledger/audit.ts';
import { cellText, wrap } from '../cells.ts';
import { paint, type TableStyle } from '../layout.ts';

/** What an audit found, for people: what is wrong, each with its place, what may be worth knowing, and a closing line. */
export function* auditText(audit: LedgerAudit, { width, colour }: TableStyle): Generator<string> {
  const { problems, moreProblems, notes } = audit;
  for (const problem of problems) {
    const text = wrap(`${problem.kind}: ${placeOf(problem)}${cellText(problem.message)}`, width, '  ');
    yield `${paint(problem.kind, 'red', colour)}${text.slice(problem.kind.length)}\n`;
  }
  if (moreProblems > 0) yield `and ${countOf(moreProblems, 'more problem')}\n`;
  for (const note of notes) yield `${wrap(`Note: ${cellText(note)}`, width, '  ')}\n`;
  for (const line of closingLines(audit)) yield `${wrap(line, width, '  ')}\n`;
}

function placeOf({ segment, line }: LedgerProblem): string {
  if (segment === undefined) return '';
  return line === undefined ? `${cellText(segment)}: ` : `${cellText(segment)} line ${line}: `;
}

function* closingLines({ directory, records, segments, first, last, passes, outcomes, problems }: LedgerAudit): Generator<string> {
  const what = `${countOf(records, 'record')} in ${countOf(segments, 'segment')} of ${cellText(directory)}`;
  const range = first === undefined || last === undefined ? '' : `, from ${first.seq} to ${last.seq}`;
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${cellText(outcome)}`);
  yield `${what}${range}: ${passes === 1 ? '1 pass' : `${passes} passes`}${counts.length === 0 ? '' : `, ${counts.join(', ')}`}.`;
  if (last !== undefined) yield `Last record: ${last.seq}:${last.hash}`;
  if (problems.length === 0) yield 'The ledger is whole.';
}
