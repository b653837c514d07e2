import type { Usage } from '../model/references.ts';
import type { Gate } from '../model/plan.ts';
import type { ExplainedFile, Explanation } from './explain.ts';
import { paint, type Format } from './table-layout.ts';
import { cellText, shortAge } from './table-text.ts';
import { countOf, humanBytes } from './text.ts';

/** An explanation for people, in pieces of whole lines. */
export function* explanationText({ files, subject, digest, basePath, gate, takenAt }: Explanation, colour: boolean): Generator<string> {
  const of = files.some((file) => file.name === subject) ? '' : ` of ${cellText(subject)} (sha1 ${digest})`;
  yield `${countOf(files.length, 'base file')}${of} in ${cellText(basePath)}, at ${instant(takenAt)}\n`;
  for (const file of files) {
    yield `\n${paint(cellText(file.name), 'bold', colour)}\n`;
    for (const [label, lines] of fieldsOf(file, gate)) {
      for (const [index, line] of lines.entries())
        yield `  ${(index === 0 ? label : '').padEnd(9)} ${paint(line, formatOf(label, file), colour)}\n`;
    }
  }
}

type Label = 'File' | 'Verdict' | 'Used by' | 'Next' | 'Held by' | 'Finding';

function fieldsOf(file: ExplainedFile, gate: Gate): readonly (readonly [Label, readonly string[]])[] {
  const { kind, allocatedBytes, sizeBytes, ageSeconds, modifiedAt, outcome, verdict, reason, rule } = file;
  const size = `${humanBytes(allocatedBytes)} on disk (${humanBytes(sizeBytes)} long)`;
  return [
    ['File', [`${kind}, ${size}, modified ${shortAge(ageSeconds)} ago (${instant(modifiedAt)})`]],
    ['Verdict', [`${verdict}${outcome === undefined ? '' : `, ${outcome}`}: ${reason}. ${rule}`]],
    ['Used by', file.usedBy.length === 0 ? ['nothing that is known'] : file.usedBy.map(usageLine)],
    ['Held by', reason === 'GateClosed' ? gate.reasons.map((closure) => cellText(`${closure.reason}: ${closure.message}`)) : []],
    ['Next', [cellText(file.next)]],
    ['Finding', file.findings.map(({ type, workload, message }) => cellText([type, workload, message].filter(Boolean).join(': ')))],
  ];
}

function usageLine({ by, through, value, object, chain }: Usage): string {
  const where =
    object === undefined ? '' : ` [${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}]`;
  return cellText(`${by}: ${through} ${[value, ...(chain ?? [])].join(' → ')}${where}`);
}

function formatOf(label: Label, { verdict }: ExplainedFile): Format | undefined {
  if (label === 'Held by' || label === 'Finding') return 'yellow';
  return label === 'Verdict' && verdict === 'remove' ? 'red' : undefined;
}

function instant(rfc3339: string): string {
  return cellText(rfc3339.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC'));
}
