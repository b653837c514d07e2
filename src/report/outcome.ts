import type { PlannedFile } from '../model/plan.ts';
import type { FileOutcome } from '../model/ports.ts';
import { mapRows } from '../lib/rows.ts';
import type { Rows } from '../model/rows.ts';

type Planned = Pick<PlannedFile, 'outcome' | 'outcomeMessage' | 'freedNothing'>;

/** The rows that rows with outcomes were made from: what is wanted without them need not be copied twice. */
const plannedRows = new WeakMap<Rows<object>, Rows<object>>();

/** The rows, each with what `outcomeOf` says became of it. */
export function rowsWithOutcomes<T extends object>(rows: Rows<T>, outcomeOf: (row: T) => FileOutcome | undefined): Rows<T & Planned> {
  const reported = mapRows(rows, (row) => withOutcome(row, outcomeOf(row)));
  plannedRows.set(reported, rows);
  return reported;
}

/** The rows as they were planned. */
export function rowsAsPlanned<T extends Planned>(rows: Rows<T>): Rows<Omit<T, keyof Planned>> {
  return (plannedRows.get(rows) as Rows<T> | undefined) ?? mapRows(rows, withoutOutcome);
}

/** The row with its outcome. What was not carried out is `kept`. */
function withOutcome<T extends object>(file: T, found: FileOutcome | undefined): T & Planned {
  if (found === undefined) return { ...file, outcome: 'kept' };
  const { outcome, message, freedNothing } = found;
  return {
    ...file,
    outcome,
    ...(message === undefined ? {} : { outcomeMessage: message }),
    ...(freedNothing === undefined ? {} : { freedNothing }),
  };
}

/** The row as it was planned. */
function withoutOutcome<T extends Planned>(file: T): Omit<T, keyof Planned> {
  const { outcome: _outcome, outcomeMessage: _message, freedNothing: _freed, ...planned } = file;
  return planned;
}
