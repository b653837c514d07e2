import { messageOf } from '../lib/errors.ts';
import { runInSlices } from '../lib/pacer.ts';
import type { Report, Stage } from '../model/report.ts';
import type { BaseScanner, BaseVerifier, Clock, Executor, OverlayScanner, Surroundings, UseCheck, WorkloadSource } from '../model/ports.ts';
import type { BaseScan } from '../model/scan.ts';
import type { Policy } from '../model/policy.ts';
import type { Sliced } from '../lib/slices.ts';
import type { ClockReading, Snapshot } from '../model/snapshot.ts';
import type { Inventory } from '../model/workload.ts';
import { planSteps, planUnlessListHelps } from '../plan/build-plan.ts';
import { reasonsToStay } from '../plan/gate/current-use.ts';
import { timestamp } from '../lib/timestamp.ts';
import { cacheFileName, collectReferences, type ReferenceMemory } from '../references/collect.ts';
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
  readonly clock: Clock;
}

export interface PassOptions {
  readonly dryRun: boolean;
  readonly previousPass?: ClockReading | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told as each stage begins: for progress and for tests that interrupt there. */
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** One pass: scan, collect references, read backing chains, plan, execute, report. Never throws; problem is a `Failed` report. */
export async function runPass(parts: PassParts, options: PassOptions): Promise<Report> {
  const watch = stopwatch(parts.clock, options.onStage);
  try {
    const scannedAt = parts.clock.now();
    const scan = await watch('scan', () => parts.scanner.scan(options));
    const verification = parts.verifier === undefined ? undefined : await watch('scan', () => parts.verifier?.verify(scan, options));
    let evidence = await gatherEvidence(parts, options, watch, false);
    let plan = await watch('plan', () => decide(planUnlessListHelps, parts, options, { scan, verification, scannedAt, ...evidence }));
    if (plan === undefined) {
      evidence = await gatherEvidence(parts, options, watch, true);
      plan = await watch('plan', () => decide(planSteps, parts, options, { scan, verification, scannedAt, ...evidence }));
    }
    options.signal?.throwIfAborted();
    const inUse = useCheck(parts, { scan: { ...scan, files: [] }, scannedAt });
    const execution = options.dryRun ? undefined : await watch('execute', () => parts.executor.execute(plan, inUse, options));
    return await runInSlices(
      reportSteps(plan, execution, { dryRun: options.dryRun, stopReason: stopReasonOf(options), ...watch.times() }),
      undefined,
    );
  } catch (error) {
    const about = { node: parts.node, takenAt: timestamp(parts.clock.now().wallMs), preset: parts.policy.preset, basePath: parts.basePath };
    return emptyReport(about, 'Failed', messageOf(error), watch.times());
  }
}

function stopReasonOf({ signal }: PassOptions): string | undefined {
  return signal?.aborted === true ? messageOf(signal.reason) : undefined;
}

type Evidence = Pick<Snapshot, 'inventory' | 'references' | 'overlays' | 'surroundings'>;

async function gatherEvidence(parts: PassParts, options: PassOptions, watch: Stopwatch, consistent: boolean): Promise<Evidence> {
  const inventory = await watch('references', () => readSources(parts.sources, consistent, options.signal));
  const references = collectReferences(inventory.workloads, parts.baseDirectoryName);
  const overlays = await watch('overlays', () => parts.overlays.scan({ instanceNames: references.instanceNames, signal: options.signal }));
  return { inventory, references, overlays, surroundings: parts.surroundings?.inspect() };
}

async function readSources(sources: readonly WorkloadSource[], consistent: boolean, signal: AbortSignal | undefined): Promise<Inventory> {
  const readings = await Promise.all(sources.map((source) => source.read({ consistent, signal })));
  return {
    sources: readings.map(({ status }) => status),
    workloads: readings.flatMap(({ workloads }) => workloads),
    gaps: readings.flatMap(({ gaps }) => gaps),
    pins: readings.flatMap(({ pins }) => pins ?? []),
    sharedStorage: readings.find(({ sharedStorage }) => sharedStorage !== undefined)?.sharedStorage,
  };
}

function decide<T>(
  steps: (snapshot: Snapshot, digestOfRef: typeof cacheFileName) => Sliced<T>,
  parts: PassParts,
  { previousPass, signal }: PassOptions,
  seen: Evidence & Pick<Snapshot, 'scan' | 'verification' | 'scannedAt'>,
): Promise<T> {
  const snapshot = { node: parts.node, policy: parts.policy, now: parts.clock.now(), previousPass, ...seen };
  return runInSlices(steps(snapshot, cacheFileName), signal);
}

/** Asks sources and overlays again; evidence that became incomplete since the plan counts as use. */
function useCheck(parts: PassParts, seen: { scan: BaseScan; scannedAt: ClockReading }): UseCheck {
  const memory: ReferenceMemory = { named: new WeakMap() };
  return async (fileNames, signal) => {
    const inventory = await readSources(parts.sources, false, signal);
    const references = collectReferences(inventory.workloads, parts.baseDirectoryName, memory);
    const overlays = await parts.overlays.scan({ instanceNames: references.instanceNames, signal });
    const surroundings = parts.surroundings?.inspect();
    const now = parts.clock.now();
    return reasonsToStay(
      { node: parts.node, policy: parts.policy, now, previousPass: undefined, ...seen, inventory, references, overlays, surroundings },
      fileNames,
      cacheFileName,
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
