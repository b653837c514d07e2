import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { RemovalRecord } from '../../model/ledger/recorder.ts';
import type { Intent } from '../../model/ledger/records.ts';
import type { Result } from '../recheck.ts';
import { attempt } from '../under-lock.ts';

export interface RecordedRestore extends Result {
  /** Why the ledger has no record of it. */
  readonly unrecorded: string | undefined;
}

/** Recorded before it happens, as a removal is; where that fails, it happens nevertheless, for it takes nothing away. */
export async function recorded(
  begin: (() => Promise<RemovalRecord>) | undefined,
  intent: Intent,
  work: () => Result,
): Promise<RecordedRestore> {
  const record = await begin?.();
  try {
    const intended = await intend(record, intent);
    const result = attempt(work, 'RestoreFailed');
    if (intended.number !== undefined) record?.outcome(intended.number, result.outcome, result.message);
    const ended = await record?.end({ [result.outcome]: 1 });
    return { ...result, unrecorded: intended.problem ?? ended?.problem };
  } finally {
    record?.close();
  }
}

async function intend(record: RemovalRecord | undefined, intent: Intent): Promise<{ readonly number?: number; readonly problem?: string }> {
  try {
    const [number] = (await record?.intend([intent])) ?? [];
    return number === undefined ? {} : { number };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { problem: messageOf(error) };
  }
}
