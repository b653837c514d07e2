import { forEachRow, type Sliced } from '../lib/slices.ts';
import type { StateTotal, Totals } from '../model/plan.ts';
import { type FileState, REASON_FACTS } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { BASE_FILE_KINDS, type BaseFile, type BaseFileKind } from '../model/scan.ts';
import type { Facts } from './facts.ts';
import { ageMs } from './minimum-age.ts';
import { DECIDED_REASONS } from './verdicts.ts';

/** Counts over all files. */
export interface Tally {
  readonly totals: Totals;
  readonly states: readonly StateTotal[];
  readonly oldestUnusedSeconds: number | undefined;
}

export function* tallyFiles(facts: Facts, files: Rows<BaseFile>, verdicts: Uint8Array): Sliced<Tally> {
  const cells = new Map<BaseFileKind, Cell[]>(BASE_FILE_KINDS.map((kind) => [kind, []]));
  const found: Cell[] = [];
  let oldestMs = Number.NEGATIVE_INFINITY;
  yield* forEachRow(files, (file, index) => {
    const { kind } = file;
    const verdict = verdicts[index] ?? 0;
    const ofKind = cells.get(kind) ?? [];
    const cell = (ofKind[verdict] ??= newCell(found, kind, verdict));
    cell.files++;
    cell.allocatedBytes += file.allocatedBytes;
    if (cell.unused) oldestMs = Math.max(oldestMs, ageMs(file, facts));
  });
  const oldestUnusedSeconds = oldestMs < 0 ? undefined : Math.floor(oldestMs / 1000);
  return { totals: totalsOf(found), states: statesOf(found), oldestUnusedSeconds };
}

/** The files of one kind and one verdict. */
interface Cell {
  readonly kind: BaseFileKind;
  readonly state: FileState;
  readonly reclaimable: boolean;
  readonly unused: boolean;
  files: number;
  allocatedBytes: number;
}

function newCell(found: Cell[], kind: BaseFileKind, verdict: number): Cell {
  const reason = DECIDED_REASONS[verdict] ?? 'GateClosed';
  const cell = { kind, ...REASON_FACTS[reason], files: 0, allocatedBytes: 0 };
  found.push(cell);
  return cell;
}

function totalsOf(cells: readonly Cell[]): Totals {
  const totals = { files: 0, allocatedBytes: 0, reclaimableFiles: 0, reclaimableBytes: 0, removedFiles: 0, removedBytes: 0 };
  for (const { files, allocatedBytes, reclaimable } of cells) {
    totals.files += files;
    totals.allocatedBytes += allocatedBytes;
    if (!reclaimable) continue;
    totals.reclaimableFiles += files;
    totals.reclaimableBytes += allocatedBytes;
  }
  return totals;
}

function statesOf(cells: readonly Cell[]): StateTotal[] {
  const states = Map.groupBy(cells, ({ kind, state }) => `${kind} ${state}`);
  return [...states.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const sum = (of: (cell: Cell) => number): number => same.reduce((total, cell) => total + of(cell), 0);
    return [{ kind: first.kind, state: first.state, files: sum(({ files }) => files), allocatedBytes: sum((cell) => cell.allocatedBytes) }];
  });
}
