import { messageOf } from '../lib/errors.ts';
import { runInSlices } from '../lib/pacer.ts';
import type { Report, Stage } from '../model/report.ts';
import type { Plan } from '../model/plan.ts';
import type {
  BaseScanner,
  BaseVerifier,
  Clock,
  Execution,
  Executor,
  OverlayScanner,
  Surroundings,
  UseCheck,
  WorkloadSource,
} from '../model/ports.ts';
import type { Policy } from '../model/policy.ts';
import type { Sliced } from '../lib/slices.ts';
import type { ClockReading, Evidence, Snapshot } from '../model/snapshot.ts';
import type { NamedDisk, OverlayScan } from '../model/overlay.ts';
import type { References } from '../model/references.ts';
import type { Inventory, Workload } from '../model/workload.ts';
import { planInSlices, planOrAskForLists } from '../plan/build-plan.ts';
import { reasonsToStay } from '../plan/gate/current-use.ts';
import { timestamp } from '../lib/timestamp.ts';
import { collectReferences, type ReferenceMemory } from '../references/collect.ts';
import { evidenceOf } from './evidence.ts';
import { executeRecorded, type RecordedExecution } from './execute-recorded.ts';
import type { RemovalLedger, RemovalRecord } from '../model/ledger/recorder.ts';
import type { Asked } from '../model/ledger/records.ts';
import { emptyReport, reportSteps } from '../report/build-report.ts';

/** What a pass works with. */
export interface PassParts {
  readonly node: string;
  readonly policy: Policy;
  /** Absolute path of `_base`, for reports of passes that could not scan it. */
  readonly basePath: string;
  /** Name of the cache directory, `_base` by default. */
  readonly baseDirectoryName: string;
  readonly scanner: BaseScanner;
  /** Undefined where verification is off. */
  readonly verifier?: BaseVerifier | undefined;
  readonly sources: readonly WorkloadSource[];
  readonly overlays: OverlayScanner;
  /** Undefined: nobody looks at the directories themselves. */
  readonly surroundings?: Surroundings | undefined;
  readonly executor: Executor;
  /** Undefined: removals are not recorded. */
  readonly ledger?: RemovalLedger | undefined;
  readonly clock: Clock;
}

export interface PassOptions {
  readonly dryRun: boolean;
  /** Who asked for the pass, for the record. Default: the schedule. */
  readonly asked?: Asked | undefined;
  readonly previousPass?: ClockReading | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called as each stage begins: for progress and for tests that interrupt there. */
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** One pass: scan, collect references, read backing chains, plan, execute, report. Never throws: a problem gives a `Failed` report. */
export async function runPass(parts: PassParts, options: PassOptions): Promise<Report> {
  const timed = stopwatch(parts.clock, options.onStage);
  try {
    const scannedAt = parts.clock.now();
    const scan = await timed('scan', () => parts.scanner.scan(options));
    const verification = parts.verifier === undefined ? undefined : await timed('scan', () => parts.verifier?.verify(scan, options));
    const seen = { scan, verification, scannedAt };
    const { knownRaw } = scan;
    let evidence = await gatherEvidence(parts, options, timed, { sources: 'as known', knownRaw });
    // By the first look of this pass: a later one leaves out what this one found.
    const { emptyLocks } = evidence.overlays;
    const first = await timed('plan', () => decide(planOrAskForLists, parts, options, { ...seen, ...evidence }));
    if ('needs' in first) evidence = await gatherEvidence(parts, options, timed, { sources: 'freshly listed', knownRaw, emptyLocks });
    const plan = 'plan' in first ? first.plan : await timed('plan', () => decide(planInSlices, parts, options, { ...seen, ...evidence }));
    options.signal?.throwIfAborted();
    const checkWith = (record: RemovalRecord | undefined) =>
      useCheck(parts, { ...seen, overlays: { ...evidence.overlays, emptyLocks } }, record);
    const execution = options.dryRun ? undefined : await timed('execute', () => execute(parts, options, plan, checkWith));
    const about = { dryRun: options.dryRun, stopReason: stopReasonOf(options), ...timed.times() };
    return await runInSlices(reportSteps(plan, execution, about), undefined);
  } catch (error) {
    const about = { node: parts.node, takenAt: timestamp(parts.clock.now().wallMs), preset: parts.policy.preset, basePath: parts.basePath };
    return emptyReport(about, 'Failed', messageOf(error), timed.times());
  }
}

function execute(parts: PassParts, options: PassOptions, plan: Plan, checkWith: RecordedExecution['checkWith']): Promise<Execution> {
  const { executor, ledger } = parts;
  const { asked = { by: 'schedule' }, signal } = options;
  return executeRecorded({ plan, executor, ledger, asked, signal, checkWith });
}

function stopReasonOf({ signal }: PassOptions): string | undefined {
  return signal?.aborted === true ? messageOf(signal.reason) : undefined;
}

type ScanOptions = Parameters<OverlayScanner['scan']>[0];

/** What changes from one look to the next: who runs, and what disks are backed by. */
type Users = Pick<Evidence, 'inventory' | 'references' | 'overlays' | 'surroundings'>;

async function gatherEvidence(
  parts: PassParts,
  options: PassOptions,
  timed: Stopwatch,
  { sources, ...known }: { readonly sources: 'as known' | 'freshly listed' } & Pick<ScanOptions, 'knownRaw' | 'emptyLocks'>,
): Promise<Users> {
  const inventory = await timed('references', () => readSources(parts.sources, sources === 'freshly listed', options.signal));
  const references = collectReferences(inventory.workloads, parts.baseDirectoryName);
  const overlays = await timed('overlays', () => scanOverlays(parts, references, inventory, { ...known, signal: options.signal }));
  return { inventory, references, overlays, surroundings: parts.surroundings?.inspect({ mayWrite: !options.dryRun }) };
}

function scanOverlays(
  { overlays }: PassParts,
  { instanceNames }: References,
  { workloads }: Inventory,
  options: Pick<ScanOptions, 'knownRaw' | 'emptyLocks' | 'signal'>,
): Promise<OverlayScan> {
  return overlays.scan({ instanceNames, disks: workloads.flatMap(disksOf), ...options });
}

/** Every file that a source names for a VM. */
function disksOf({ name, paths, disks = [], isElsewhere }: Workload): NamedDisk[] {
  const described = new Set(disks.map(({ path }) => path));
  const others = paths.filter((path) => !described.has(path)).map((path) => ({ path }));
  return [...disks, ...others].map((disk) => ({ ...disk, by: name, isElsewhere }));
}

async function readSources(sources: readonly WorkloadSource[], consistent: boolean, signal: AbortSignal | undefined): Promise<Inventory> {
  const readings = await Promise.all(sources.map((source) => source.read({ consistent, signal })));
  return {
    sources: readings.map(({ status }) => status),
    workloads: readings.flatMap(({ workloads }) => workloads),
    gaps: readings.flatMap(({ gaps }) => gaps),
    pins: readings.flatMap(({ pins }) => pins ?? []),
    notes: readings.flatMap(({ notes }) => notes ?? []),
    sharedStorage: readings.find(({ sharedStorage }) => sharedStorage !== undefined)?.sharedStorage,
  };
}

function decide<T>(
  planner: (snapshot: Snapshot) => Sliced<T>,
  { node, policy, clock }: PassParts,
  { previousPass, signal }: PassOptions,
  seen: Users & Pick<Snapshot, 'scan' | 'verification' | 'scannedAt'>,
): Promise<T> {
  return runInSlices(planner({ node, policy, now: clock.now(), previousPass, ...seen }), signal);
}

/**
 * Asks sources and overlays again; evidence that became incomplete since the plan counts as use. A base file that nobody uses is not looked at
 * for what it names, where it named nothing for the plan: what disks are backed by is followed from these (ADR 0023).
 */
function useCheck(
  parts: PassParts,
  { scan, scannedAt, overlays: planned }: Pick<Evidence, 'scan' | 'scannedAt' | 'overlays'>,
  record: RemovalRecord | undefined,
): UseCheck {
  const { policy, clock } = parts;
  const memory: ReferenceMemory = { named: new WeakMap() };
  const images = new Set(planned.baseImages.map(({ name }) => name));
  const { emptyLocks } = planned;
  return async (fileNames, signal, unused) => {
    const inventory = await readSources(parts.sources, false, signal);
    const references = collectReferences(inventory.workloads, parts.baseDirectoryName, memory);
    const knownRaw = { has: (name: string) => unused?.has(name) === true && !images.has(name) };
    const overlays = await scanOverlays(parts, references, inventory, { knownRaw, emptyLocks, signal });
    const surroundings = parts.surroundings?.inspect();
    record?.evidence(evidenceOf(inventory, overlays));
    return reasonsToStay(
      { policy, now: clock.now(), previousPass: undefined, scannedAt, scan, inventory, references, overlays, surroundings },
      fileNames,
    );
  };
}

interface Stopwatch {
  <T>(stage: Stage, work: () => T | Promise<T>): Promise<T>;
  times(): Pick<Report, 'durationSeconds' | 'stageSeconds'>;
}

function stopwatch(clock: Clock, onStage: PassOptions['onStage']): Stopwatch {
  const startedMs = clock.now().monotonicMs;
  const stageSeconds: Partial<Record<Stage, number>> = {};
  const measure = async <T>(stage: Stage, work: () => T | Promise<T>): Promise<T> => {
    onStage?.(stage);
    const fromMs = clock.now().monotonicMs;
    try {
      return await work();
    } finally {
      stageSeconds[stage] = (stageSeconds[stage] ?? 0) + (clock.now().monotonicMs - fromMs) / 1000;
    }
  };
  return Object.assign(measure, {
    times: () => ({ durationSeconds: (clock.now().monotonicMs - startedMs) / 1000, stageSeconds: { ...stageSeconds } }),
  });
}
