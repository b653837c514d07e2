import type { Gate, Plan, SourceReport, Totals, TrashPlan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { countBy } from '../lib/by-key.ts';
import { runNow, type Sliced } from '../lib/slices.ts';
import type { TrashedFile } from '../model/scan.ts';
import type { Inventory } from '../model/workload.ts';
import type { GateReason } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { collectFindings } from './findings.ts';
import { gateSteps } from './gate/gate.ts';
import { spaceFindings } from './space/findings.ts';
import { relieve, type SpacePlans } from './space/relief.ts';
import { plannedTrash } from './trash/planned-trash.ts';
import { decideTrash, tallyTrash } from './trash/rules.ts';
import { timestamp } from '../lib/timestamp.ts';
import { plannedFiles } from './planned-files.ts';
import { stayingBaseFiles } from './standing.ts';
import { tallyFiles } from './tally.ts';
import { wantedImages } from './wanted.ts';
import { decideAll, decideUnlessHeld, limitedBy } from './verdicts.ts';

/**
 * Decides what becomes of every base file. Pure: the same snapshot gives the same plan. Mirrors Nova's
 * `_age_and_verify_cached_images`, `_age_and_verify_swap_images` and `_age_and_verify_ephemeral_images` up to the removal.
 */
export function buildPlan(snapshot: Snapshot): Plan {
  return runNow(planInSlices(snapshot));
}

/** As `buildPlan`, in slices: a million files take seconds. */
export function* planInSlices(snapshot: Snapshot): Sliced<Plan> {
  const { gate, facts } = yield* gather(snapshot);
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

/** A plan, or that consistent lists of the sources could open the gate to removals, and are needed first. */
export type FirstPlan = { readonly plan: Plan } | { readonly needs: 'fresh lists' };

/** As `planInSlices`; the first file that waits for fresh lists ends the planning. */
export function* planOrAskForLists(snapshot: Snapshot): Sliced<FirstPlan> {
  const { gate, facts } = yield* gather(snapshot);
  const isCurable = !gate.open && gate.reasons.every(({ reason }) => CURED_BY_A_LIST.has(reason));
  const verdicts = yield* (isCurable ? decideUnlessHeld : decideAll)(facts, snapshot.scan.files);
  if (verdicts === undefined) return { needs: 'fresh lists' };
  const plan = yield* assemble(snapshot, { gate, facts, verdicts });
  return isCurable && isListWanted(plan.totals, plan, plan.trash) ? { needs: 'fresh lists' } : { plan };
}

function* gather(snapshot: Snapshot): Sliced<Pick<Decisions, 'gate' | 'facts'>> {
  const gate = yield* gateSteps(snapshot);
  const facts = gatherFacts(snapshot, gate.open);
  const staying = yield* stayingBaseFiles(facts, snapshot.overlays.baseImages, snapshot.scan.files);
  return { gate, facts: { ...facts, staying } };
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
  const space = yield* relieve(facts, { verdicts, trashed, trashVerdicts }, scan);
  const trash = yield* planTrash(facts, trashed, trashVerdicts);
  const tally = yield* tallyFiles(facts, scan.files, verdicts);
  const findings = yield* collectFindings(snapshot);
  const wanted = yield* wantedImages(snapshot);
  const limited = limitedBy(facts, verdicts);
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Plan',
    node: snapshot.node,
    takenAt: timestamp(snapshot.now.wallMs),
    preset: snapshot.policy.preset,
    basePath: scan.basePath,
    gate: isListWanted(tally.totals, space, trash) ? gate : withoutMissingList(gate),
    files: plannedFiles(facts, scan.files, verdicts),
    findings: [...findings, ...spaceFindings(space, { ...tally, trash })],
    totals: tally.totals,
    states: tally.states,
    overlays: countBy(snapshot.overlays.overlays, ({ state }) => state),
    ...unseenOf(snapshot),
    sources: sourceReports(snapshot.inventory),
    ...(tally.oldestUnusedSeconds === undefined ? {} : { oldestUnusedSeconds: tally.oldestUnusedSeconds }),
    ...(scan.filesystem === undefined ? {} : { filesystem: scan.filesystem }),
    ...(space.pressure === undefined ? {} : { pressure: space.pressure }),
    ...(space.budget === undefined ? {} : { budget: space.budget }),
    ...(limited === undefined ? {} : { limited }),
    ...(wanted === undefined ? {} : { wanted }),
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
  return { ...policy.trash, files: plannedTrash({ policy }, trashed, verdicts), totals };
}

/** Whether an open gate would let something be removed. */
function isListWanted(totals: Totals, space: Partial<SpacePlans>, trash: TrashPlan | undefined): boolean {
  const isShort = space.pressure !== undefined || (space.budget?.bytesToFree ?? 0) > 0;
  return totals.reclaimableFiles > 0 || isShort || (trash?.totals.dueFiles ?? 0) > 0;
}

/** A list is only taken where something could be removed: that none was taken holds nothing back here. */
function withoutMissingList({ reasons }: Gate): Gate {
  const others = reasons.filter(({ reason }) => reason !== 'ConsistentListMissing');
  return { open: others.length === 0, reasons: others };
}

function unseenOf({ overlays: { unseen, ignored } }: Snapshot): Pick<Plan, 'unseen' | 'ignored'> {
  return { ...(unseen.length === 0 ? {} : { unseen }), ...(ignored.length === 0 ? {} : { ignored }) };
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
