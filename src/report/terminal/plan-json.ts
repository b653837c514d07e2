import type { Plan } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import { inPieces } from '../../lib/pieces.ts';
import { deceptionless } from '../../lib/text.ts';

/**
 * A plan or report as JSON text in pieces, one file or finding a line. The same document as `JSON.stringify`, but `files` is
 * never held as a whole, and what could deceive a reader or a terminal is escaped.
 */
export function planJson(plan: Plan | Report): Generator<string> {
  return inPieces(documentParts(plan));
}

function* documentParts(plan: Plan | Report): Generator<string> {
  let separator = '{\n  ';
  for (const [key, value] of Object.entries(plan) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}: `;
    separator = ',\n  ';
    if (key === 'files' || key === 'findings') yield* rowParts(value as Iterable<unknown>);
    else yield deceptionless(JSON.stringify(value));
  }
  yield '\n}\n';
}

function* rowParts(rows: Iterable<unknown>): Generator<string> {
  let separator = '[\n    ';
  for (const row of rows) {
    yield separator + deceptionless(JSON.stringify(row));
    separator = ',\n    ';
  }
  yield separator.startsWith('[') ? '[]' : '\n  ]';
}
