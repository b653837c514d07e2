import type { Plan, TrashPlan, TrashTotals } from '../model/plan.ts';
import type { Execution } from '../model/ports.ts';
import { forEachRow, type Sliced } from '../lib/slices.ts';
import { rowsAsPlanned, rowsWithOutcomes } from './outcome.ts';
import { humanBytes } from '../lib/text.ts';

/** What a pass did with the trash. Undefined where the plan says nothing of it. */
export function* reportTrash({ trash, files }: Plan, execution: Execution | undefined): Sliced<TrashPlan | undefined> {
  if (trash === undefined) return undefined;
  const outcomes: NonNullable<Execution['trash']> = execution?.trash ?? new Map();
  const reported = rowsWithOutcomes(trash.files, ({ entry }) => outcomes.get(entry));
  const totals: { -readonly [K in keyof TrashTotals]: TrashTotals[K] } = { ...trash.totals };
  yield* forEachRow(reported, ({ outcome, allocatedBytes, freedNothing }) => {
    if (outcome === 'restored') {
      totals.restoredFiles++;
      totals.restoredBytes += allocatedBytes;
    } else if (outcome === 'emptied') {
      totals.emptiedFiles++;
      if (freedNothing === true) totals.linkedBytes = (totals.linkedBytes ?? 0) + allocatedBytes;
      else totals.emptiedBytes += allocatedBytes;
    }
  });
  if (execution !== undefined) {
    yield* forEachRow(files, ({ name, allocatedBytes }) => {
      if (execution.outcomes.get(name)?.outcome !== 'trashed') return;
      totals.trashedFiles++;
      totals.trashedBytes += allocatedBytes;
    });
  }
  return { ...trash, files: reported, totals };
}

/** Files and allocated bytes that lie in the trash after the pass. */
export function remainingTrash({ totals }: TrashPlan): { files: number; bytes: number } {
  return {
    files: totals.files + totals.trashedFiles - totals.restoredFiles - totals.emptiedFiles,
    bytes: totals.allocatedBytes + totals.trashedBytes - totals.restoredBytes - totals.emptiedBytes - (totals.linkedBytes ?? 0),
  };
}

/** For summaries: what was moved to the trash, put back and emptied, where anything was. */
export function movedParts(totals: Omit<TrashTotals, 'files' | 'allocatedBytes' | 'dueFiles' | 'dueBytes'>): string[] {
  const parts = [
    [totals.trashedFiles, totals.trashedBytes, 'moved to the trash'],
    [totals.restoredFiles, totals.restoredBytes, 'put back from the trash'],
    [totals.emptiedFiles, totals.emptiedBytes, 'removed from the trash'],
  ] as const;
  return parts.filter(([files]) => files > 0).map(([files, bytes, what]) => `${files} ${what}, ${humanBytes(bytes)}`);
}

/** The trash as it was planned: without outcomes and what was done. */
export function plannedTrash({ files, totals, ...trash }: TrashPlan): TrashPlan {
  const done = { trashedFiles: 0, trashedBytes: 0, restoredFiles: 0, restoredBytes: 0, emptiedFiles: 0, emptiedBytes: 0 };
  return { ...trash, files: rowsAsPlanned(files), totals: { ...totals, ...done } };
}
