import type { FileState, Gate, Plan, PressurePlan, SourceReport, StateTotal, Totals, TrashPlan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { forEachRow, runNow, type Sliced } from '../lib/slices.ts';
import { type TrashedFile, BASE_FILE_KINDS, type BaseFile, type BaseFileKind } from '../model/scan.ts';
import type { Inventory } from '../model/workload.ts';
import type { GateReason } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { collectFindings, pressureFindings } from './findings.ts';
import { gateSteps } from './gate/gate.ts';
import { ageMs } from './minimum-age.ts';
import { relievePressure } from './pressure.ts';
import { PlannedTrash } from './trash/planned-trash.ts';
import { decideTrash, tallyTrash } from './trash/rules.ts';
import { timestamp } from '../lib/timestamp.ts';
import { PlannedFiles, STATE_OF_REASON } from './planned-files.ts';
import { DECIDED_REASONS, decideAll, decideUnlessHeld } from './verdicts.ts';

/**
 * Decides what becomes of every base file. Pure: the same snapshot gives the same plan. Mirrors Nova's
 * `_age_and_verify_cached_images`, `_age_and_verify_swap_images` and `_age_and_verify_ephemeral_images` up to the removal.
 */
export function buildPlan(snapshot: Snapshot, digestOfRef: (imageRef: string) => string): Plan {
  return runNow(planSteps(snapshot, digestOfRef));
}

/** As `buildPlan`, in slices: a million files take seconds. */
export function* planSteps(snapshot: Snapshot, digestOfRef: (imageRef: string) => string): Sliced<Plan> {
  const gate = yield* gateSteps(snapshot);
  const facts = gatherFacts(snapshot, gate.open, digestOfRef);
  return yield* assemble(snapshot, { gate, facts, verdicts: yield* decideAll(facts, snapshot.scan.files) });
}

/** Conditions that a fresh list may satisfy; any other keeps the gate closed, and then the API server is spared the list. */
const CURED_BY_A_LIST: ReadonlySet<GateReason> = new Set([
  'ConsistentListMissing',
  'SourceNotSynced',
  'SourceStale',
  'EmptyInventory',
  'WorkloadIncomplete',
  'HostWorkloadsUnknown',
]);

/** As `planSteps`, but undefined where consistent lists of the sources could open the gate to removals; the first file that waits for that says so. */
export function* planUnlessListHelps(snapshot: Snapshot, digestOfRef: (imageRef: string) => string): Sliced<Plan | undefined> {
  const gate = yield* gateSteps(snapshot);
  const facts = gatherFacts(snapshot, gate.open, digestOfRef);
  const isCurable = !gate.open && gate.reasons.every(({ reason }) => CURED_BY_A_LIST.has(reason));
  const verdicts = yield* (isCurable ? decideUnlessHeld : decideAll)(facts, snapshot.scan.files);
  if (verdicts === undefined) return undefined;
  const plan = yield* assemble(snapshot, { gate, facts, verdicts });
  return isCurable && isListWanted(plan.totals, plan.pressure, plan.trash) ? undefined : plan;
}

interface Decisions {
  readonly gate: Gate;
  readonly facts: Facts;
  readonly verdicts: Uint8Array;
}

function* assemble(snapshot: Snapshot, { gate, facts, verdicts }: Decisions): Sliced<Plan> {
  const { scan } = snapshot;
  const trashed = scan.trash?.files ?? [];
  const trashVerdicts = yield* decideTrash(facts, scan.files, trashed);
  const pressure = yield* relievePressure(facts, { files: scan.files, verdicts, trashed, trashVerdicts }, scan.filesystem);
  const trash = yield* planTrash(facts, trashed, trashVerdicts);
  const tally = yield* tallyFiles(facts, scan.files, verdicts);
  const findings = yield* collectFindings(snapshot);
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Plan',
    node: snapshot.node,
    takenAt: timestamp(snapshot.now.wallMs),
    preset: snapshot.policy.preset,
    basePath: scan.basePath,
    gate: isListWanted(tally.totals, pressure, trash) ? gate : withoutMissingList(gate),
    files: new PlannedFiles(facts, scan.files, verdicts),
    findings: [...findings, ...pressureFindings(pressure, tally.states)],
    totals: tally.totals,
    states: tally.states,
    overlays: countOverlays(snapshot),
    sources: sourceReports(snapshot.inventory),
    ...(tally.oldestUnusedSeconds === undefined ? {} : { oldestUnusedSeconds: tally.oldestUnusedSeconds }),
    ...(scan.filesystem === undefined ? {} : { filesystem: scan.filesystem }),
    ...(pressure === undefined ? {} : { pressure }),
    ...sharedStorageReport(snapshot.inventory),
    ...(trash === undefined ? {} : { trash }),
    ...verificationOf(snapshot),
    cacheUsageBytes: scan.cacheUsageBytes,
  };
}

function verificationOf({ verification }: Snapshot): Pick<Plan, 'verification'> {
  if (verification === undefined) return {};
  const { mismatches: _findings, ...counts } = verification;
  return { verification: counts };
}

/** Undefined where the trash is off and empty. */
function* planTrash({ policy }: Facts, trashed: Rows<TrashedFile>, verdicts: Uint8Array): Sliced<TrashPlan | undefined> {
  if (!policy.trash.enabled && trashed.length === 0) return undefined;
  const totals = yield* tallyTrash(trashed, verdicts);
  return { ...policy.trash, files: new PlannedTrash({ policy }, trashed, verdicts), totals };
}

/** Whether an open gate would let something be removed. */
function isListWanted(totals: Totals, pressure: PressurePlan | undefined, trash: TrashPlan | undefined): boolean {
  return totals.reclaimableFiles > 0 || pressure !== undefined || (trash?.totals.dueFiles ?? 0) > 0;
}

/** A list is only taken where something could be removed: that none was taken holds nothing back here. */
function withoutMissingList({ reasons }: Gate): Gate {
  const others = reasons.filter(({ reason }) => reason !== 'ConsistentListMissing');
  return { open: others.length === 0, reasons: others };
}

interface Tally {
  readonly totals: Totals;
  readonly states: readonly StateTotal[];
  readonly oldestUnusedSeconds: number | undefined;
}

const RECLAIMABLE = new Set(['Unused', 'UnderPressure', 'GateClosed', 'RemovalLimitReached']);
const UNUSED_STATES = new Set(['young', 'held', 'unused']);

function* tallyFiles(facts: Facts, files: Rows<BaseFile>, verdicts: Uint8Array): Sliced<Tally> {
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
    return undefined;
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
  const state = STATE_OF_REASON[reason];
  const cell = { kind, state, reclaimable: RECLAIMABLE.has(reason), unused: UNUSED_STATES.has(state), files: 0, allocatedBytes: 0 };
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

function countOverlays({ overlays }: Snapshot): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of overlays.overlays) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function sharedStorageReport({ sharedStorage }: Inventory): Pick<Plan, 'sharedStorage'> {
  if (sharedStorage === undefined) return {};
  const hosts = sharedStorage.hosts.map(({ registeredAtMs, ...host }) => ({
    ...host,
    ...(registeredAtMs === undefined ? {} : { registeredAt: timestamp(registeredAtMs) }),
  }));
  return { sharedStorage: { ...sharedStorage, hosts } };
}

function sourceReports(inventory: Inventory): SourceReport[] {
  return inventory.sources.map(({ name, state, message, lastContactMs }) => ({
    name,
    state,
    ...(message === undefined ? {} : { message }),
    ...(lastContactMs === undefined ? {} : { lastContact: timestamp(lastContactMs) }),
    workloads: inventory.workloads.filter(({ source }) => source === name).length,
    gaps: inventory.gaps.filter(({ source }) => source === name).length,
  }));
}
