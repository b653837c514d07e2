import type { Plan, TrashPlan } from '../../../model/plan.ts';
import type { Report } from '../../../model/report.ts';
import { inPieces } from '../../../lib/pieces.ts';
import { deceptionless } from '../../../lib/text.ts';

/**
 * A plan or report as JSON text in pieces, one file, trashed file or finding a line. The same document as `JSON.stringify`, but
 * no rows are held as a whole, and what could deceive a reader or a terminal is escaped.
 */
export function planJson(plan: Plan | Report): Generator<string> {
  return inPieces(documentParts(plan));
}

function* documentParts(plan: Plan | Report): Generator<string> {
  yield* objectParts(plan, '');
  yield '\n';
}

/** Values that hold rows are written row by row, at whatever depth they are; all others are small. */
function* objectParts(object: object, indent: string): Generator<string> {
  let separator = `{\n${indent}  `;
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}: `;
    separator = `,\n${indent}  `;
    if (key === 'files' || key === 'findings') yield* rowParts(value as Iterable<unknown>, `${indent}  `);
    else if (key === 'trash') yield* objectParts(value as TrashPlan, `${indent}  `);
    else yield deceptionless(JSON.stringify(value));
  }
  yield `\n${indent}}`;
}

function* rowParts(rows: Iterable<unknown>, indent: string): Generator<string> {
  let separator = `[\n${indent}  `;
  for (const row of rows) {
    yield separator + deceptionless(JSON.stringify(row));
    separator = `,\n${indent}  `;
  }
  yield separator.startsWith('[') ? '[]' : `\n${indent}]`;
}
