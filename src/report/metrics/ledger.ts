import type { Report } from '../../model/report.ts';
import { removalOf } from '../last-removal.ts';
import type { MetricName } from './definitions.ts';
import type { MetricSet } from './metric-set.ts';

/** Absent until a pass may remove files. */
export const LEDGER_GAUGES = [
  'basekeeper_ledger_bytes',
  'basekeeper_ledger_records',
  'basekeeper_ledger_last_record_timestamp_seconds',
] as const satisfies MetricName[];

/** Absent where removals are not recorded. */
export const LEDGER_COUNTERS = ['basekeeper_ledger_failed_passes_total', 'basekeeper_ledger_unrecorded_files_total'] as const;

/** What the record of removals is like after each pass, and whether the pass could be recorded. */
export function ledgerMetrics(set: MetricSet): (report: Report) => void {
  let lastNumber: number | undefined;
  return (report) => {
    const { ledger } = report;
    if (ledger === undefined) return;
    set.gauge('basekeeper_ledger_bytes').set(ledger.bytes);
    if (ledger.problem !== undefined) set.counter('basekeeper_ledger_failed_passes_total').inc();
    set.counter('basekeeper_ledger_unrecorded_files_total').inc(ledger.unrecordedFiles ?? 0);
    if (ledger.last === undefined) return;
    const { seq } = ledger.last;
    set.gauge('basekeeper_ledger_records').set(seq);
    // The first report of a process does not say whether the ledger grew: a removal does.
    const hasGrown = lastNumber === undefined ? removalOf(report) !== undefined : seq !== lastNumber;
    lastNumber = seq;
    if (!hasGrown) return;
    set.gauge('basekeeper_ledger_last_record_timestamp_seconds').set(Date.parse(report.takenAt) / 1000 + report.durationSeconds);
  };
}
