import type { Report } from '../../model/report.ts';
import type { ReportDigest } from '../digest.ts';
import { removalOf } from '../last-removal.ts';

/** Why a pass removed nothing: nothing was old enough and unused, the gate was closed, it was a dry run, or each removal failed. */
export const NOOP_CAUSES = ['NothingRemovable', 'Held', 'DryRun', 'NotRemoved'] as const;
export type NoopCause = (typeof NOOP_CAUSES)[number];

/** Undefined for a pass that removed something, and for one that failed or was skipped: its result says so. */
export function noopCause(report: Report, { decided, remaining }: ReportDigest): NoopCause | undefined {
  if (!decided || report.result === 'Failed' || report.result === 'Skipped' || removalOf(report) !== undefined) return undefined;
  if (report.result === 'Held') return 'Held';
  const due = remaining.reclaimableFiles + (report.trash?.totals.dueFiles ?? 0);
  if (due === 0) return 'NothingRemovable';
  return report.result === 'DryRun' ? 'DryRun' : 'NotRemoved';
}
