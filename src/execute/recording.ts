import type { RemovalRecord } from '../model/ledger/recorder.ts';
import type { Intent, RecordedOutcome } from '../model/ledger/records.ts';
import type { Result } from './recheck.ts';
import type { AnswerFor, Removal } from './removal.ts';
import { attempt, failed } from './under-lock.ts';

/** What a removal may do now that its intent is on disk, or why it has none. */
export type Permission =
  | { readonly is: 'given'; readonly done: (outcome: RecordedOutcome, message?: string) => void }
  /** Why the file stays. */
  | { readonly is: 'refused'; readonly result: Result }
  /** There was no room for its intent: it comes again. */
  | { readonly is: 'late' };

const UNRECORDED: Permission = { is: 'given', done: () => {} };
const LATE: Permission = { is: 'late' };

/**
 * Puts on disk, at once, what is to happen to files of which the evidence has nothing to say. Nothing that is not recorded may go. Without a
 * record, everything may.
 */
export async function permissions(
  record: RemovalRecord | undefined,
  removals: readonly Removal[],
  answerFor: AnswerFor,
): Promise<(removal: Removal) => Permission> {
  if (record === undefined) return () => UNRECORDED;
  const given = new Map<Removal, Permission>();
  const wanted: [Removal, Intent][] = [];
  for (const removal of removals) {
    const intent = attempt(() => removal.intent(answerFor));
    if ('outcome' in intent) given.set(removal, { is: 'refused', result: intent });
    else wanted.push([removal, intent]);
  }
  try {
    const numbers = await record.intend(wanted.map(([, intent]) => intent));
    for (const [index, number] of numbers.entries()) {
      const done = (outcome: RecordedOutcome, message?: string) => record.outcome(number, outcome, message);
      const [removal] = wanted[index] ?? [];
      if (removal !== undefined) given.set(removal, { is: 'given', done });
    }
  } catch (error) {
    const result = failed(error, 'RemovalFailed');
    for (const [removal] of wanted) given.set(removal, { is: 'refused', result });
  }
  return (removal) => given.get(removal) ?? LATE;
}
