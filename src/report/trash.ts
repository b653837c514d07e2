import type { Plan, PlannedTrashedFile, TrashPlan, TrashTotals } from '../model/plan.ts';
import type { Execution } from '../model/ports.ts';
import type { Rows } from '../model/rows.ts';
import { eachRow, type Steps } from '../lib/steps.ts';
import { humanBytes } from '../lib/text.ts';

/** What a pass did with the trash. Undefined where the plan says nothing of it. */
export function* reportTrash({ trash, files }: Plan, execution: Execution | undefined): Steps<TrashPlan | undefined> {
  if (trash === undefined) return undefined;
  const outcomes: NonNullable<Execution['trash']> = execution?.trash ?? new Map();
  const reported = new ReportedTrash(trash.files, outcomes);
  const totals: { -readonly [K in keyof TrashTotals]: number } = { ...trash.totals };
  yield* eachRow(reported, ({ outcome, allocatedBytes }) => {
    if (outcome === 'restored') {
      totals.restoredFiles++;
      totals.restoredBytes += allocatedBytes;
    } else if (outcome === 'emptied') {
      totals.emptiedFiles++;
      totals.emptiedBytes += allocatedBytes;
    }
    return undefined;
  });
  if (execution !== undefined) {
    yield* eachRow(files, ({ name, allocatedBytes }) => {
      if (execution.outcomes.get(name)?.outcome !== 'trashed') return undefined;
      totals.trashedFiles++;
      totals.trashedBytes += allocatedBytes;
      return undefined;
    });
  }
  return { ...trash, files: reported, totals };
}

/** Files and allocated bytes that lie in the trash after the pass. */
export function remainingTrash({ totals }: TrashPlan): { files: number; bytes: number } {
  return {
    files: totals.files + totals.trashedFiles - totals.restoredFiles - totals.emptiedFiles,
    bytes: totals.allocatedBytes + totals.trashedBytes - totals.restoredBytes - totals.emptiedBytes,
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
  return { ...trash, files: new MappedTrash(files, withoutOutcome), totals: { ...totals, ...done } };
}

function withoutOutcome({ outcome: _outcome, outcomeMessage: _message, ...planned }: PlannedTrashedFile): PlannedTrashedFile {
  return planned;
}

class MappedTrash implements Rows<PlannedTrashedFile> {
  readonly length: number;
  readonly #files: Rows<PlannedTrashedFile>;
  readonly #map: (file: PlannedTrashedFile) => PlannedTrashedFile;

  constructor(files: Rows<PlannedTrashedFile>, map: (file: PlannedTrashedFile) => PlannedTrashedFile) {
    this.length = files.length;
    this.#files = files;
    this.#map = map;
  }

  at(index: number): PlannedTrashedFile | undefined {
    const file = this.#files.at(index);
    return file === undefined ? undefined : this.#map(file);
  }

  *[Symbol.iterator](): Iterator<PlannedTrashedFile> {
    for (const file of this.#files) yield this.#map(file);
  }

  toJSON(): PlannedTrashedFile[] {
    return [...this];
  }
}

class ReportedTrash extends MappedTrash {
  constructor(files: Rows<PlannedTrashedFile>, outcomes: NonNullable<Execution['trash']>) {
    super(files, (file) => {
      const found = outcomes.get(file.entry);
      if (found === undefined) return { ...file, outcome: 'kept' };
      return { ...file, outcome: found.outcome, ...(found.message === undefined ? {} : { outcomeMessage: found.message }) };
    });
  }
}
