import type { Plan } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import { plannedTrash } from './trash.ts';
import { rowsAsPlanned } from './outcome.ts';

/** The plan that a report carried out, or in a dry run would have: without result, times and outcomes. */
export function planOf(report: Report): Plan {
  const {
    result: _result,
    dryRun: _dryRun,
    message: _message,
    durationSeconds: _duration,
    stageSeconds: _stages,
    lockWaitSeconds: _waits,
    trash,
    ...plan
  } = report;
  return {
    ...plan,
    kind: 'Plan',
    files: rowsAsPlanned(report.files),
    ...(trash === undefined ? {} : { trash: plannedTrash(trash) }),
  };
}
