import type { Plan, TrashPlan } from '../../../model/plan.ts';
import type { Report } from '../../../model/report.ts';
import { inPieces } from '../../../lib/pieces.ts';
import { yamlText } from '../../../lib/yaml/write.ts';

/** A plan or report as YAML text in pieces: the same document as `planJson`, and no rows are held as a whole either. */
export function planYaml(plan: Plan | Report): Generator<string> {
  return inPieces(objectParts(plan, ''));
}

function* objectParts(object: object, indent: string): Generator<string> {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (value === undefined) continue;
    if (key === 'files' || key === 'findings') yield* rowParts(key, value as Iterable<unknown>, indent);
    else if (key === 'trash') {
      yield `${indent}${key}:\n`;
      yield* objectParts(value as TrashPlan, `${indent}  `);
    } else yield indented({ [key]: value }, indent);
  }
}

function* rowParts(key: string, rows: Iterable<unknown>, indent: string): Generator<string> {
  let opened = false;
  for (const row of rows) {
    if (!opened) yield `${indent}${key}:\n`;
    opened = true;
    yield indented([row], `${indent}  `);
  }
  if (!opened) yield `${indent}${key}: []\n`;
}

function indented(value: unknown, indent: string): string {
  return yamlText(value).replaceAll(/^(?=.)/gm, indent);
}
