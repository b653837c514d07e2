import type { Usage } from '../../model/references.ts';
import type { Gate } from '../../model/plan.ts';
import type { ExplainedFile, Explanation } from '../explain/explain.ts';
import type { ExplainedTrashedFile } from '../explain/trash.ts';
import { paint, type Format } from './layout.ts';
import { cellText, shortAge } from './cells.ts';
import { countOf, humanBytes } from '../../lib/text.ts';

/** An explanation for people, in pieces of whole lines. */
export function* explanationText(explanation: Explanation, colour: boolean): Generator<string> {
  const { files, trash, subject, digest, basePath, gate, takenAt } = explanation;
  const isName = [...files, ...trash].some((file) => file.name === subject || ('entry' in file && file.entry === subject));
  const of = isName ? '' : ` of ${cellText(subject)} (sha1 ${digest})`;
  const inTrash = trash.length === 0 ? '' : `, ${countOf(trash.length, 'file')} in its trash`;
  yield `${countOf(files.length, 'base file')}${of} in ${cellText(basePath)}${inTrash}, at ${instant(takenAt)}\n`;
  for (const file of files) {
    yield `\n${paint(cellText(file.name), 'bold', colour)}\n`;
    yield* fieldLines(fieldsOf(file, gate), (label) => formatOf(label, file.verdict === 'remove'), colour);
  }
  for (const file of trash) {
    yield `\n${paint(cellText(file.name), 'bold', colour)}, in the trash\n`;
    yield* fieldLines(trashFieldsOf(file, explanation), (label) => formatOf(label, file.verdict === 'empty'), colour);
  }
}

type Label = 'File' | 'Trashed' | 'Verdict' | 'Used by' | 'Next' | 'Held by' | 'Finding' | 'Restore';
type Fields = readonly (readonly [Label, readonly string[]])[];

function* fieldLines(fields: Fields, format: (label: Label) => Format | undefined, colour: boolean): Generator<string> {
  for (const [label, lines] of fields) {
    for (const [index, line] of lines.entries()) yield `  ${(index === 0 ? label : '').padEnd(9)} ${paint(line, format(label), colour)}\n`;
  }
}

function fieldsOf(file: ExplainedFile, gate: Gate): Fields {
  const { kind, ageSeconds, modifiedAt, reason } = file;
  return [
    ['File', [`${kind}, ${sizeOf(file)}, modified ${shortAge(ageSeconds)} ago (${instant(modifiedAt)})`]],
    ['Verdict', [verdictLine(file)]],
    ['Used by', file.usedBy.length === 0 ? ['nothing that is known'] : file.usedBy.map(usageLine)],
    ['Held by', heldBy(reason, gate)],
    ['Next', [cellText(file.next)]],
    ['Finding', file.findings.map(({ type, workload, message }) => cellText([type, workload, message].filter(Boolean).join(': ')))],
  ];
}

function trashFieldsOf(file: ExplainedTrashedFile, { gate, takenAt }: Explanation): Fields {
  const { kind, reason, trashedAt, graceEndsAt, restore } = file;
  const ageSeconds = Math.floor((Date.parse(takenAt) - Date.parse(trashedAt)) / 1000);
  return [
    ['File', [`${kind}, ${sizeOf(file)}`]],
    ['Trashed', [`${shortAge(ageSeconds)} ago (${instant(trashedAt)}), kept until ${instant(graceEndsAt)}`]],
    ['Verdict', [verdictLine(file)]],
    ['Held by', heldBy(reason, gate)],
    ['Next', [cellText(file.next)]],
    ['Restore', restore === undefined ? [] : [cellText(restore)]],
  ];
}

function sizeOf({ allocatedBytes, sizeBytes }: ExplainedFile | ExplainedTrashedFile): string {
  return `${humanBytes(allocatedBytes)} on disk (${humanBytes(sizeBytes)} long)`;
}

function verdictLine({
  verdict,
  outcome,
  reason,
  rule,
}: Pick<ExplainedFile | ExplainedTrashedFile, 'verdict' | 'outcome' | 'reason' | 'rule'>): string {
  return `${doneOf(verdict, outcome)}: ${reason}. ${rule}`;
}

/** A dry run keeps what its plan removes. */
function doneOf(verdict: string, outcome: string | undefined): string {
  if (outcome === undefined || outcome === verdict) return verdict;
  const goes = verdict === 'remove' || verdict === 'empty';
  return goes && outcome === 'kept' ? `${verdict} in mode enforce; this pass only looked` : `${verdict}, ${outcome}`;
}

function heldBy(reason: string, gate: Gate): readonly string[] {
  return reason === 'GateClosed' ? gate.reasons.map((closure) => cellText(`${closure.reason}: ${closure.message}`)) : [];
}

function usageLine({ by, through, value, object, chain }: Usage): string {
  const where =
    object === undefined ? '' : ` [${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}]`;
  return cellText(`${by}: ${through} ${[value, ...(chain ?? [])].join(' → ')}${where}`);
}

function formatOf(label: Label, goes: boolean): Format | undefined {
  if (label === 'Held by' || label === 'Finding') return 'yellow';
  return label === 'Verdict' && goes ? 'red' : undefined;
}

function instant(rfc3339: string): string {
  return cellText(rfc3339.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC'));
}
