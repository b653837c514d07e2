import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RequestObserver } from '../../kube/types.ts';
import { BASE_FILE_KINDS } from '../../model/scan.ts';
import type { OverlayState } from '../../model/overlay.ts';
import { type SharedStorageReport, type TrashTotals } from '../../model/plan.ts';
import { STAGES, type Report } from '../../model/report.ts';
import type { Mode } from '../../model/policy.ts';
import { FINDINGS, GATE_REASONS, PASS_RESULTS, type GateReason, type Outcome } from '../../model/reasons.ts';
import type { StorageHostState } from '../../model/shared-storage.ts';
import type { ChecksumObserver } from '../../model/verification.ts';
import type { GapKind, SourceStatus } from '../../model/workload.ts';
import type { ReportDigest } from '../digest.ts';
import { LEDGER_COUNTERS, LEDGER_GAUGES, ledgerMetrics } from './ledger.ts';
import { noopCause, NOOP_CAUSES } from './noop.ts';
import { createMetricSet, type MetricSet } from './metric-set.ts';
import { scrape, type Scrape } from './scrape.ts';
import { showSpace, SPACE_METRICS } from './space.ts';
import type { ReportPart } from '../report-part.ts';

/** Pairs of verb and code that `basekeeper_api_requests_total` counts separately; later ones are counted as `other`. */
const API_PAIRS = 9;

/** Outcomes by which a file that should go, or be touched, was not. */
export const FAILURE_OUTCOMES = [
  'InUseByQemu',
  'ChangedSincePlan',
  'LockBusy',
  'RemovalFailed',
  'TouchFailed',
  'Abandoned',
] as const satisfies Outcome[];

/** Without labels, so that prom-client would show them from the start. */
const CHECKSUM_COUNTERS = ['basekeeper_checksum_files_total', 'basekeeper_checksum_read_bytes_total'] as const;
const TRASH_ACTIONS = ['trashed', 'restored', 'emptied'] as const;

export const OVERLAY_STATES: readonly OverlayState[] = ['ok', 'flat', 'missing-backing', 'unknown-backing', 'unreadable'];
/** This host itself is always there, and needs no series. */
export const OTHER_HOST_STATES: readonly StorageHostState[] = ['known', 'unknown', 'stale', 'ignored'];
export const WANTED_STATES = ['present', 'missing'] as const;
export const GAP_KINDS: readonly GapKind[] = ['UnmappedWorkload', 'IncompleteWorkload', 'UnreadableSource'];

/** Only where the directory is shared. */
const STORAGE_REASONS: ReadonlySet<GateReason> = new Set(['HostWorkloadsUnknown', 'HostStale', 'StorageRegistryBroken', 'HostsUnsettled']);

/** Before the first pass these would say 0, and 0 bytes available is alarming. */
const UNKNOWN_AT_FIRST = [
  'basekeeper_filesystem_size_bytes',
  'basekeeper_filesystem_avail_bytes',
  'basekeeper_reclaimable_bytes',
  'basekeeper_reclaim_target_bytes',
  ...SPACE_METRICS,
  'basekeeper_oldest_unused_seconds',
  'basekeeper_storage_registered_timestamp_seconds',
  'basekeeper_trash_files',
  'basekeeper_trash_bytes',
  ...LEDGER_GAUGES,
] as const;

/** What Prometheus' linter finds fault with in prom-client's own metrics: gauges that end in `_total`. */
const UNWANTED_PROCESS_METRICS = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export interface MetricsOptions {
  readonly version: string;
  /** CPU, memory, event loop and garbage collection of this process. Default true. */
  readonly processMetrics?: boolean | undefined;
  /** Whether removals go to the trash: its counters then begin at 0. Its series appear in any case once something lies there. Default false. */
  readonly trash?: boolean | undefined;
  /** Whether checksums are kept: their counters then begin at 0, else they are absent. Default false. */
  readonly checksums?: boolean | undefined;
  /** Whether removals are recorded: what counts failures then begins at 0, else it is absent. Default false. */
  readonly ledger?: boolean | undefined;
}

export type SourceReader = () => readonly SourceStatus[] | Promise<readonly SourceStatus[]>;

export interface Metrics extends ReportPart {
  /** Takes over what a pass found. */
  observe(report: Report, digest: ReportDigest): void;
  readonly requestObserver: RequestObserver;
  readonly checksumObserver: ChecksumObserver;
  setMode(mode: Mode): void;
  /** Asked at each scrape, so that freshness is that of the scrape and not of the last pass. */
  watchSources(read: SourceReader): void;
  /** @param accept the request's Accept header: OpenMetrics 1.0 where it asks for that, else Prometheus' text format. */
  scrape(accept: string | undefined): Promise<Scrape>;
}

/** The agent's metrics in a registry of their own. */
export function createMetrics({ version, processMetrics = true, ...kept }: MetricsOptions): Metrics {
  const registry = new Registry();
  const set = createMetricSet(registry);
  set.gauge('basekeeper_build_info').set({ version }, 1);
  startCountersAtZero(set);
  beginSeries(set, kept);
  if (processMetrics) addProcessMetrics(registry);
  let readSources: SourceReader | undefined;
  const showLedger = ledgerMetrics(set);
  const observe = (report: Report, digest: ReportDigest): void => {
    observeReport(set, report, digest);
    showLedger(report);
  };
  return {
    observe,
    publish: (report, digest) => Promise.resolve(observe(report, digest)),
    requestObserver: apiRequestObserver(set),
    checksumObserver: {
      read: (bytes) => set.counter('basekeeper_checksum_read_bytes_total').inc(bytes),
      checked: () => set.counter('basekeeper_checksum_files_total').inc(),
    },
    setMode(mode) {
      set.gauge('basekeeper_mode').reset();
      set.gauge('basekeeper_mode').set({ mode }, 1);
    },
    watchSources(read) {
      readSources = read;
    },
    async scrape(accept) {
      if (readSources !== undefined) showSources(set, await readSources());
      return scrape(registry, accept);
    },
  };
}

/** A counter that appears with its first increment hides that increment from `rate` and `increase`. */
function startCountersAtZero(set: MetricSet): void {
  for (const result of PASS_RESULTS) set.counter('basekeeper_passes_total').inc({ result }, 0);
  for (const cause of NOOP_CAUSES) set.counter('basekeeper_noop_passes_total').inc({ cause }, 0);
  for (const reason of FAILURE_OUTCOMES) set.counter('basekeeper_removal_failures_total').inc({ reason }, 0);
  for (const kind of BASE_FILE_KINDS.filter((it) => it !== 'foreign')) {
    set.counter('basekeeper_removed_files_total').inc({ kind }, 0);
    set.counter('basekeeper_removed_bytes_total').inc({ kind }, 0);
  }
}

/** What is there from the start by what the agent keeps, and not before it is known. */
function beginSeries(set: MetricSet, { trash = false, checksums = false, ledger = false }: Omit<MetricsOptions, 'version'>): void {
  if (trash) for (const action of TRASH_ACTIONS) set.counter('basekeeper_trash_moved_files_total').inc({ action }, 0);
  if (!checksums) for (const name of CHECKSUM_COUNTERS) set.counter(name).remove();
  if (!ledger) for (const name of LEDGER_COUNTERS) set.counter(name).remove();
  for (const name of UNKNOWN_AT_FIRST) set.gauge(name).remove();
}

function addProcessMetrics(registry: Registry): void {
  // 1000 ms: the default of 10 ms costs one percent of a core in an idle process.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  for (const name of UNWANTED_PROCESS_METRICS) registry.removeSingleMetric(name);
}

function observeReport(set: MetricSet, report: Report, digest: ReportDigest): void {
  set.counter('basekeeper_passes_total').inc({ result: report.result });
  const cause = noopCause(report, digest);
  if (cause !== undefined) set.counter('basekeeper_noop_passes_total').inc({ cause });
  set.histogram('basekeeper_pass_duration_seconds').observe(report.durationSeconds);
  for (const stage of STAGES) {
    const seconds = report.stageSeconds[stage];
    if (seconds !== undefined) set.histogram('basekeeper_stage_duration_seconds').observe({ stage }, seconds);
  }
  for (const seconds of report.lockWaitSeconds) set.histogram('basekeeper_lock_wait_seconds').observe(seconds);
  if (report.result === 'Succeeded' || report.result === 'DryRun' || report.result === 'Held') {
    set.gauge('basekeeper_last_success_timestamp_seconds').set(Date.parse(report.takenAt) / 1000 + report.durationSeconds);
  }
  for (const [kind, { files, bytes }] of [...digest.removedByKind, ...(digest.trash?.emptiedByKind ?? [])]) {
    set.counter('basekeeper_removed_files_total').inc({ kind }, files);
    set.counter('basekeeper_removed_bytes_total').inc({ kind }, bytes);
  }
  for (const reason of FAILURE_OUTCOMES)
    set
      .counter('basekeeper_removal_failures_total')
      .inc({ reason }, (digest.outcomes.get(reason) ?? 0) + (digest.trash?.outcomes.get(reason) ?? 0));
  if (report.trash !== undefined) observeTrash(set, report.trash.totals, digest.trash?.outcomes.get('RestoreFailed') ?? 0);
  // A pass that decided nothing says nothing about the node: what the last one said stays.
  if (digest.decided) showInventory(set, report, digest);
}

function observeTrash(set: MetricSet, totals: TrashTotals, restoreFailures: number): void {
  for (const action of TRASH_ACTIONS) set.counter('basekeeper_trash_moved_files_total').inc({ action }, totals[`${action}Files`]);
  if (restoreFailures > 0) set.counter('basekeeper_removal_failures_total').inc({ reason: 'RestoreFailed' }, restoreFailures);
}

function showInventory(set: MetricSet, report: Report, digest: ReportDigest): void {
  showAll(set, 'basekeeper_base_files', digest.remainingStates, ({ kind, state, files }) => [{ kind, state }, files]);
  showAll(set, 'basekeeper_base_bytes', digest.remainingStates, ({ kind, state, allocatedBytes }) => [{ kind, state }, allocatedBytes]);
  showAll(set, 'basekeeper_kept_files', digest.keptByReason, ([reason, files]) => [{ reason }, files]);
  const closed = new Set(report.gate.reasons.map(({ reason }) => reason));
  const possible = keysOf(GATE_REASONS).filter((reason) => report.sharedStorage !== undefined || !STORAGE_REASONS.has(reason));
  showAll(set, 'basekeeper_gate_closed', possible, (reason) => [{ reason }, closed.has(reason) ? 1 : 0]);
  const findings = Map.groupBy(report.findings, ({ type }) => type);
  const types = keysOf(FINDINGS).filter((type) => type !== 'BaseFileMismatch' || report.verification !== undefined);
  showAll(set, 'basekeeper_findings', types, (type) => [{ type }, findings.get(type)?.length ?? 0]);
  showAll(set, 'basekeeper_gaps', GAP_KINDS, (kind) => [{ kind }, findings.get(kind)?.length ?? 0]);
  showAll(set, 'basekeeper_overlays', OVERLAY_STATES, (state) => [{ state }, report.overlays[state] ?? 0]);
  showAll(set, 'basekeeper_workloads', report.sources, ({ name, workloads }) => [{ source: name }, workloads]);
  const wanted = Map.groupBy(report.wanted ?? [], ({ present }) => (present ? 'present' : 'missing'));
  const wantedStates = report.wanted === undefined ? [] : WANTED_STATES;
  showAll(set, 'basekeeper_wanted_images', wantedStates, (state) => [{ state }, wanted.get(state)?.length ?? 0]);
  showStorage(set, report.sharedStorage);
  if (digest.trash !== undefined) set.gauge('basekeeper_trash_files').set(digest.trash.remaining.files);
  if (digest.trash !== undefined) set.gauge('basekeeper_trash_bytes').set(digest.trash.remaining.bytes);
  set.gauge('basekeeper_reclaimable_bytes').set(digest.remaining.reclaimableBytes);
  set.gauge('basekeeper_reclaim_target_bytes').set(Math.max(0, report.pressure?.bytesToFree ?? 0));
  showSpace(set, report, digest);
  set.gauge('basekeeper_oldest_unused_seconds').set(digest.oldestUnusedSeconds ?? 0);
  if (report.filesystem !== undefined) {
    set.gauge('basekeeper_filesystem_size_bytes').set(report.filesystem.sizeBytes);
    set.gauge('basekeeper_filesystem_avail_bytes').set(report.filesystem.availableBytes);
  }
}

function showStorage(set: MetricSet, storage: SharedStorageReport | undefined): void {
  if (storage === undefined) return;
  const hosts = Map.groupBy(storage.hosts, ({ state }) => state);
  showAll(set, 'basekeeper_storage_hosts', OTHER_HOST_STATES, (state) => [{ state }, hosts.get(state)?.length ?? 0]);
  const registeredAt = hosts.get('own')?.[0]?.registeredAt;
  if (registeredAt !== undefined) set.gauge('basekeeper_storage_registered_timestamp_seconds').set(Date.parse(registeredAt) / 1000);
}

/** Replaces all series of a gauge, so that none outlives what it stood for. */
function showAll<T>(
  set: MetricSet,
  name: Parameters<MetricSet['gauge']>[0],
  items: Iterable<T>,
  sample: (item: T) => readonly [labels: Record<string, string>, value: number],
): void {
  const gauge = set.gauge(name);
  gauge.reset();
  for (const item of items) gauge.set(...sample(item));
}

function isSynced({ state }: SourceStatus): boolean {
  return state === 'synced' || state === 'absent';
}

function showSources(set: MetricSet, sources: readonly SourceStatus[]): void {
  showAll(set, 'basekeeper_source_synced', sources, (source) => [{ source: source.name }, isSynced(source) ? 1 : 0]);
  const contacted = sources.flatMap(({ name, lastContactMs }) => (lastContactMs === undefined ? [] : [{ name, lastContactMs }]));
  showAll(set, 'basekeeper_source_last_contact_timestamp_seconds', contacted, (it) => [{ source: it.name }, it.lastContactMs / 1000]);
}

function apiRequestObserver(set: MetricSet): RequestObserver {
  const counter = set.counter('basekeeper_api_requests_total');
  const seen = new Set<string>();
  return (verb, code) => {
    const pair = `${verb} ${code}`;
    if (!seen.has(pair) && seen.size >= API_PAIRS) {
      counter.inc({ verb: 'other', code: 'other' });
      return;
    }
    seen.add(pair);
    counter.inc({ verb, code });
  };
}

function keysOf<T extends object>(record: T): readonly (keyof T & string)[] {
  return Object.keys(record) as (keyof T & string)[];
}
