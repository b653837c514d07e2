import { hasErrno } from '../lib/errors.ts';
import { FULL, type RemovalRecord } from '../model/ledger/recorder.ts';
import type { Intent, RecordedOutcome } from '../model/ledger/records.ts';
import { freesNothing } from './frees-nothing.ts';
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

type Wanted = readonly [removal: Removal, intent: Intent];

/**
 * Puts on disk, at once, what is to happen to files of which the evidence has nothing to say. Nothing that is not recorded may go,
 * but for one file that makes room where there is none for its record. Without a ledger, everything may.
 */
export async function permissions(
  record: RemovalRecord | undefined,
  removals: readonly Removal[],
  answerFor: AnswerFor,
): Promise<(removal: Removal) => Permission> {
  if (record === undefined) return () => UNRECORDED;
  const given = new Map<Removal, Permission>();
  const wanted: Wanted[] = [];
  for (const removal of removals) {
    const intent = attempt(() => removal.intent(answerFor));
    if ('outcome' in intent) given.set(removal, { is: 'refused', result: intent });
    else wanted.push([removal, intent]);
  }
  try {
    const numbers = await record.intend(wanted.map(([, intent]) => intent));
    for (const [index, number] of numbers.entries()) {
      const [removal] = wanted[index] ?? [];
      if (removal !== undefined) given.set(removal, permissionFor(record, number));
    }
  } catch (error) {
    for (const [removal, permission] of unrecorded(record, wanted, error)) given.set(removal, permission);
  }
  return (removal) => given.get(removal) ?? LATE;
}

function permissionFor(record: RemovalRecord, number: number): Permission {
  return { is: 'given', done: (outcome: RecordedOutcome, message?: string) => record.outcome(number, outcome, message) };
}

/** The first file that makes room may go, and the others come again after it. Where there is none, or it may not, all stay. */
function unrecorded(record: RemovalRecord, wanted: readonly Wanted[], why: unknown): readonly (readonly [Removal, Permission])[] {
  const failure = failed(why, 'RemovalFailed');
  if (!hasErrno(why, ...FULL)) return wanted.map(([removal]) => [removal, { is: 'refused', result: failure }]);
  const refused: [Removal, Permission][] = [];
  for (const [removal, intent] of wanted) {
    const reason = attempt(() => freesNothing(intent, removal.seen()));
    if (reason === undefined) return owed(record, wanted, [removal, intent], why);
    const result = typeof reason === 'string' ? { ...failure, message: `${failure.message}; it stays: ${reason}` } : reason;
    refused.push([removal, { is: 'refused', result }]);
  }
  return refused;
}

function owed(
  record: RemovalRecord,
  wanted: readonly Wanted[],
  [removal, intent]: Wanted,
  why: unknown,
): readonly (readonly [Removal, Permission])[] {
  const number = attempt(() => record.owe(intent, why));
  if (typeof number === 'number') return [[removal, permissionFor(record, number)]];
  return wanted.map(([it]) => [it, { is: 'refused', result: number }]);
}
