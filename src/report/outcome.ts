import type { PlannedFile } from '../model/plan.ts';
import type { FileOutcome } from '../model/ports.ts';

/** The row with its outcome. What was not carried out is `kept`. */
export function withOutcome<T extends object>(
  file: T,
  found: FileOutcome | undefined,
): T & Pick<PlannedFile, 'outcome' | 'outcomeMessage'> {
  if (found === undefined) return { ...file, outcome: 'kept' };
  return { ...file, outcome: found.outcome, ...(found.message === undefined ? {} : { outcomeMessage: found.message }) };
}

/** The row as it was planned. */
export function withoutOutcome<T extends Pick<PlannedFile, 'outcome' | 'outcomeMessage'>>(file: T): Omit<T, 'outcome' | 'outcomeMessage'> {
  const { outcome: _outcome, outcomeMessage: _message, ...planned } = file;
  return planned;
}
