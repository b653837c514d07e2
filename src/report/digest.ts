import type { BaseFileKind } from '../model/scan.ts';
import type { PlannedFile, StateTotal, Totals, PlannedTrashedFile } from '../model/plan.ts';
import type { Report } from '../model/report.ts';
import { REASON_FACTS, type Outcome, type VerdictReason } from '../model/reasons.ts';
import { forEachRow, runNow, type Sliced } from '../lib/slices.ts';
import { ImageCollector, type ImageList } from './image-list.ts';
import { remainingTrash } from './trash.ts';

/** How many files a digest keeps as examples of removals and of failures. */
const EXAMPLES = 20;

export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

/** What reporting needs to know of a report's rows: made in one walk, because there may be a million of them. */
export interface ReportDigest {
  /** False for a pass that failed or was skipped before it had a plan: it says nothing about files and workloads. */
  readonly decided: boolean;
  /** Files whose verdict is keep or touch. */
  readonly keptByReason: ReadonlyMap<VerdictReason, number>;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** Unlinked by this pass. */
  readonly removedByKind: ReadonlyMap<BaseFileKind, FileCount>;
  /** Undefined where the report says nothing of the trash. */
  readonly trash: TrashDigest | undefined;
  /** What is still on disk after the pass: the plan's totals and states without the files that are gone. */
  readonly remaining: Totals;
  readonly remainingStates: readonly StateTotal[];
  /** Of which images files are still on disk. */
  readonly images: ImageList;
  /** Age of the oldest file on disk that nothing uses, in seconds. */
  readonly oldestUnusedSeconds: number | undefined;
  /** The first files that were removed or moved to the trash, in the plan's order. */
  readonly removedExamples: readonly PlannedFile[];
  /** The first files whose outcome is `RemovalFailed`. */
  readonly failedExamples: readonly PlannedFile[];
}

export interface TrashDigest {
  /** What lies in the trash after the pass. */
  readonly remaining: FileCount;
  readonly emptiedByKind: ReadonlyMap<BaseFileKind, FileCount>;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** The first files that were put back. */
  readonly restoredExamples: readonly PlannedTrashedFile[];
}

/** Sees each row in the walk that makes a digest. */
export interface RowVisitor {
  file?(file: PlannedFile): void;
  trashedFile?(file: PlannedTrashedFile): void;
}

/** Walks the report's rows once, in slices, and shows each of them to `visitor` as well. */
export function* digestInSlices(report: Report, visitor: RowVisitor = {}): Sliced<ReportDigest> {
  const tally = newTally();
  yield* forEachRow(report.files, (file) => {
    addFile(tally, file);
    visitor.file?.(file);
  });
  return {
    decided: report.files.length > 0 || report.sources.length > 0,
    keptByReason: tally.keptByReason,
    outcomes: tally.outcomes,
    removedByKind: tally.removedByKind,
    trash: yield* trashDigest(report, visitor),
    remaining: remainingTotals(report, tally.goneByKind),
    remainingStates: remainingStates(report, tally.goneByKind),
    images: tally.images.list(),
    oldestUnusedSeconds: tally.oldestUnusedSeconds,
    removedExamples: tally.removedExamples,
    failedExamples: tally.failedExamples,
  };
}

/** The digest in one go, for reports of a size that tests and small tools have. */
export function digestOf(report: Report): ReportDigest {
  return runNow(digestInSlices(report));
}

interface Tally {
  readonly keptByReason: Map<VerdictReason, number>;
  readonly outcomes: Map<Outcome, number>;
  readonly removedByKind: Map<BaseFileKind, FileCount>;
  /** Removed by us or by somebody else. */
  readonly goneByKind: Map<BaseFileKind, FileCount>;
  readonly removedExamples: PlannedFile[];
  readonly failedExamples: PlannedFile[];
  readonly images: ImageCollector;
  oldestUnusedSeconds: number | undefined;
}

function newTally(): Tally {
  return {
    keptByReason: new Map(),
    outcomes: new Map(),
    removedByKind: new Map(),
    goneByKind: new Map(),
    removedExamples: [],
    failedExamples: [],
    images: new ImageCollector(),
    oldestUnusedSeconds: undefined,
  };
}

function addFile(tally: Tally, file: PlannedFile): void {
  if (file.verdict !== 'remove') increment(tally.keptByReason, file.reason);
  if (file.outcome !== undefined) increment(tally.outcomes, file.outcome);
  if (file.outcome === 'RemovalFailed' && tally.failedExamples.length < EXAMPLES) tally.failedExamples.push(file);
  if (file.outcome === 'removed' || file.outcome === 'trashed') {
    if (file.outcome === 'removed') addFreed(tally.removedByKind, file);
    if (tally.removedExamples.length < EXAMPLES) tally.removedExamples.push(file);
  }
  if (isGone(file)) {
    addCount(tally.goneByKind, file);
    return;
  }
  tally.images.add(file);
  if (REASON_FACTS[file.reason].unused) tally.oldestUnusedSeconds = Math.max(tally.oldestUnusedSeconds ?? 0, file.ageSeconds);
}

/** A file that a touch found missing is as gone as one that a removal found missing, but it was never counted as unused. */
function isGone({ outcome, verdict }: PlannedFile): boolean {
  return verdict === 'remove' && (outcome === 'removed' || outcome === 'trashed' || outcome === 'AlreadyGone');
}

function* trashDigest({ trash }: Report, visitor: RowVisitor): Sliced<TrashDigest | undefined> {
  if (trash === undefined) return undefined;
  const emptiedByKind = new Map<BaseFileKind, FileCount>();
  const outcomes = new Map<Outcome, number>();
  const restoredExamples: PlannedTrashedFile[] = [];
  yield* forEachRow(trash.files, (file) => {
    visitor.trashedFile?.(file);
    if (file.outcome !== undefined) increment(outcomes, file.outcome);
    if (file.outcome === 'emptied') addFreed(emptiedByKind, file);
    if (file.outcome === 'restored' && restoredExamples.length < EXAMPLES) restoredExamples.push(file);
  });
  return { remaining: remainingTrash(trash), emptiedByKind, outcomes, restoredExamples };
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function addCount(counts: Map<BaseFileKind, FileCount>, { kind, allocatedBytes }: Pick<PlannedFile, 'kind' | 'allocatedBytes'>): void {
  const { files, bytes } = counts.get(kind) ?? { files: 0, bytes: 0 };
  counts.set(kind, { files: files + 1, bytes: bytes + allocatedBytes });
}

/** The blocks of a file that has another name stay. */
function addFreed(counts: Map<BaseFileKind, FileCount>, file: Pick<PlannedFile, 'kind' | 'allocatedBytes' | 'freedNothing'>): void {
  addCount(counts, file.freedNothing === true ? { kind: file.kind, allocatedBytes: 0 } : file);
}

function remainingTotals({ totals }: Report, goneByKind: ReadonlyMap<BaseFileKind, FileCount>): Totals {
  let gone = { files: 0, bytes: 0 };
  for (const { files, bytes } of goneByKind.values()) gone = { files: gone.files + files, bytes: gone.bytes + bytes };
  return {
    ...totals,
    files: totals.files - gone.files,
    allocatedBytes: totals.allocatedBytes - gone.bytes,
    reclaimableFiles: Math.max(0, totals.reclaimableFiles - gone.files),
    reclaimableBytes: Math.max(0, totals.reclaimableBytes - gone.bytes),
  };
}

/** Only files in the state `unused` are ever removed. */
function remainingStates({ states }: Report, goneByKind: ReadonlyMap<BaseFileKind, FileCount>): StateTotal[] {
  return states
    .map((row) => {
      const gone = row.state === 'unused' ? goneByKind.get(row.kind) : undefined;
      return gone === undefined ? row : { ...row, files: row.files - gone.files, allocatedBytes: row.allocatedBytes - gone.bytes };
    })
    .filter(({ files }) => files > 0);
}
