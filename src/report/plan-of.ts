import type { Plan, PlannedFile } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import { plannedTrash } from './trash.ts';
import type { Rows } from '../model/rows.ts';
import { plannedRows } from './build-report.ts';

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
    files: plannedRows(report.files) ?? new UndecidedFiles(report.files),
    ...(trash === undefined ? {} : { trash: plannedTrash(trash) }),
  };
}

class UndecidedFiles implements Rows<PlannedFile> {
  readonly length: number;
  readonly #reported: Rows<PlannedFile>;

  constructor(reported: Rows<PlannedFile>) {
    this.length = reported.length;
    this.#reported = reported;
  }

  at(index: number): PlannedFile | undefined {
    const file = this.#reported.at(index);
    return file === undefined ? undefined : withoutOutcome(file);
  }

  *[Symbol.iterator](): Iterator<PlannedFile> {
    for (const file of this.#reported) yield withoutOutcome(file);
  }

  toJSON(): PlannedFile[] {
    return [...this];
  }
}

function withoutOutcome({ outcome: _outcome, outcomeMessage: _message, ...planned }: PlannedFile): PlannedFile {
  return planned;
}
