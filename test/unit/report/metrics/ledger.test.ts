import { describe, expect, it } from 'vitest';
import type { LedgerState } from '../../../../src/model/ledger/recorder.ts';
import type { Report } from '../../../../src/model/report.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { createMetrics } from '../../../../src/report/metrics/metrics.ts';
import { later, report, TAKEN_AT } from '../../../helpers/reports.ts';

const HASH = 'a'.repeat(64);
const NONE_BUT_COUNTERS = { failed_passes_total: 0, unrecorded_files_total: 0 };
const removed = { files: 0, allocatedBytes: 0, reclaimableFiles: 0, reclaimableBytes: 0, removedFiles: 1, removedBytes: 1 };
/** When a pass ended that began so many seconds after the first. */
const endOf = (of: Report, seconds: number): number => Date.parse(TAKEN_AT) / 1000 + seconds + of.durationSeconds;

/** What these passes leave in the metrics about the ledger. */
async function ledger(reports: readonly Report[], isKept = true): Promise<Record<string, number>> {
  const metrics = createMetrics({ version: '1', processMetrics: false, ledger: isKept });
  for (const each of reports) metrics.observe(each, digestOf(each));
  const { body } = await metrics.scrape(undefined);
  const found = body.matchAll(/^basekeeper_ledger_(\w+) (\S+)$/gm);
  return Object.fromEntries(Array.from(found, ([, name = '', value]) => [name, Number(value)]));
}

const pass = (seconds: number, state: LedgerState, over: Pick<Partial<Report>, 'totals'> = {}): Report =>
  report({ takenAt: later(seconds), ledger: state, ...over });
const written = (seq: number): LedgerState => ({ last: { seq, hash: HASH }, bytes: 100 * seq });

describe('the metrics about the ledger', () => {
  it('should begin with nothing that failed, and be absent where no ledger is kept', async () => {
    expect(await ledger([])).toEqual(NONE_BUT_COUNTERS);
    expect(await ledger([report()], false)).toEqual({});
  });

  it('should say how large it is, how many records it has, and when it grew last', async () => {
    const reports = [pass(0, written(7)), pass(60, written(9)), pass(120, written(9))];
    const grown = { bytes: 900, records: 9, last_record_timestamp_seconds: endOf(report(), 60), ...NONE_BUT_COUNTERS };
    expect(await ledger(reports)).toEqual(grown);
  });

  it('should know that the first pass wrote to it by what it removed, and else not', async () => {
    expect(await ledger([pass(0, written(7))])).not.toHaveProperty('last_record_timestamp_seconds');
    expect(await ledger([pass(0, written(7), { totals: removed })])).toMatchObject({
      last_record_timestamp_seconds: endOf(report(), 0),
    });
  });

  it('should count passes that could not be recorded, and files that only the log has', async () => {
    const broken: LedgerState = { bytes: 0, problem: 'ENOSPC' };
    const reports = [pass(0, broken), pass(60, { ...broken, unrecordedFiles: 3 }), pass(120, written(1))];
    expect(await ledger(reports)).toMatchObject({ failed_passes_total: 2, unrecorded_files_total: 3, records: 1 });
  });

  it('should keep what was known while a dry run says nothing of it', async () => {
    expect(await ledger([pass(0, written(7)), report({ takenAt: later(60) })])).toMatchObject({ records: 7, bytes: 700 });
  });
});
