import type { BaseFile, BaseFileKind, ScanProblem } from './base-file.ts';
import type { FileIdentity } from './plan.ts';
import type { Outcome, TrashReason } from './reasons.ts';
import type { Rows } from './rows.ts';

/** A removed file in the trash as one lstat saw it; `name` is that of the base file that it was. */
export interface TrashedFile extends BaseFile {
  /** Its name in the trash. */
  readonly entry: string;
  /** When it was moved there, milliseconds since the epoch. */
  readonly trashedAtMs: number;
}

/** The result of listing the trash once. */
export interface TrashScan {
  readonly files: Rows<TrashedFile>;
  /** Entries that are none of ours, by count only: never touched. */
  readonly foreignEntries: number;
  /** They close no gate: what cannot be seen here can neither be put back nor removed. */
  readonly problems: readonly ScanProblem[];
}

export type TrashVerdict = 'keep' | 'restore' | 'empty';

/** What a pass decides for one file in the trash. */
export interface PlannedTrashedFile {
  readonly entry: string;
  /** Of the base file that it was. */
  readonly name: string;
  readonly kind: BaseFileKind;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  /** RFC 3339. */
  readonly trashedAt: string;
  /** When its grace ends, RFC 3339. */
  readonly graceEndsAt: string;
  readonly verdict: TrashVerdict;
  readonly reason: TrashReason;
  readonly identity: FileIdentity;
  /** What became of it; absent in a plan. */
  readonly outcome?: Outcome | undefined;
  readonly outcomeMessage?: string | undefined;
}

/** The trash in a plan or report; absent where it is off and empty. */
export interface TrashPlan {
  /** Whether removals go to the trash. */
  readonly enabled: boolean;
  readonly graceSeconds: number;
  readonly files: Rows<PlannedTrashedFile>;
  readonly totals: TrashTotals;
}

/** Counts at the time of the scan, and of what the pass did (0 in a plan). Bytes are allocated blocks. */
export interface TrashTotals {
  readonly files: number;
  readonly allocatedBytes: number;
  /** Whose grace is over and that nothing needs: emptied, or held. */
  readonly dueFiles: number;
  readonly dueBytes: number;
  /** Base files that this pass moved to the trash: freed only when they are emptied. */
  readonly trashedFiles: number;
  readonly trashedBytes: number;
  readonly restoredFiles: number;
  readonly restoredBytes: number;
  readonly emptiedFiles: number;
  readonly emptiedBytes: number;
}
