import { setTimeout as delay } from 'node:timers/promises';
import { createAgent as createPassLoop, type Agent } from '../agent/agent.ts';
import { tidyHeap } from '../agent/tidy-heap.ts';
import type { Config } from '../config/types.ts';
import { runPass } from '../pass/pass.ts';
import { createChecksumKeeper, type ChecksumKeeper, type ChecksumKeeperOptions } from '../verify/checksums/keeper.ts';
import { createFileLocker } from '../disk/locks/nova-lock.ts';
import type { Cluster } from '../kube/connect.ts';
import type { KubeClient, OwnNode } from '../kube/types.ts';
import { systemClock } from '../lib/clock.ts';
import { offsetOfNode } from '../agent/schedule.ts';
import { VERSION } from '../lib/version.ts';
import type { Membership } from '../shared-storage/membership.ts';
import type { Logger, WorkloadSource } from '../model/ports.ts';
import type { SourceStatus } from '../model/workload.ts';
import { timestamp } from '../lib/timestamp.ts';
import { emptyReport } from '../report/build-report.ts';
import { createReporter } from '../report/publish.ts';
import { freshMsOf, unreadySources } from '../http/probes.ts';
import { sharedAnswer } from '../lib/shared-answer.ts';
import { createDoor, type Door } from '../http/door.ts';
import { createKubeReporter, type KubeReporter } from '../report/node/kube-reporter.ts';
import { createLogReporter } from '../report/log.ts';
import { parseLastRemoval, removalOf, type LastRemoval } from '../report/last-removal.ts';
import type { ReportPart } from '../report/report-part.ts';
import { NODE_ANNOTATIONS } from '../model/annotation-keys.ts';
import { createMetrics, type Metrics } from '../report/metrics/metrics.ts';
import { createBaseScanner } from '../scan/base-scanner.ts';
import { passParts } from './pass.ts';
import { asksCluster } from '../config/source-kinds.ts';
import { historyOpener } from './ledger-reading.ts';
import { reviewersOf, reviewsTokens } from './reviewers.ts';
import { connect, createEvidence, readAll } from './sources.ts';
import type { RunnableAgent } from './wiring.ts';

/** Throws when a cluster is needed and no kubeconfig can be had. */
export async function wireAgent(config: Config, { logger }: { readonly logger: Logger }): Promise<RunnableAgent> {
  const keepsChecksums = config.verify.enabled && config.verify.checksums.enabled;
  const metrics = metricsFor(config, { checksums: keepsChecksums });
  const cluster =
    asksCluster(config.sources) || writesToCluster(config) || reviewsTokens(config.http)
      ? await connect(config, metrics.requestObserver)
      : undefined;
  const { sources, membership } = await createEvidence(config, cluster, logger);
  const reporter = cluster === undefined ? undefined : nodeReporter(config, cluster, logger);
  const aboutChecksums = { logger, observer: metrics.checksumObserver, paused: () => loop.status().mode !== 'enforce' };
  const keeper = keepsChecksums ? keeperOf(config, aboutChecksums) : undefined;
  const removals = rememberRemovals(cluster?.node);
  const loop: Agent = createLoop(config, {
    removals,
    logger,
    metrics,
    sources,
    membership,
    node: cluster?.node,
    serverTime: () => cluster?.client.serverTime?.(),
    reporter,
    keeper,
  });
  const statuses = statusesOf(sources);
  metrics.watchSources(async () => (await statuses()) ?? []);
  const door = openDoor(config, { logger, metrics, statuses, loop, client: cluster?.client, removals });
  return {
    async run(signal) {
      const { port, pagesPort } = await door.start();
      logger.info({ version: VERSION, node: config.nodeName, mode: config.mode, port, pagesPort }, 'the agent has started');
      membership?.start();
      await Promise.all([loop.run(signal), keeper === undefined ? undefined : drained(keeper.run(signal), signal)]);
      await Promise.all([membership?.stop(), door.close(), reporter?.close()]);
      cluster?.client.close();
      logger.info({}, 'the agent has stopped');
    },
  };
}

function metricsFor({ policy, ledger }: Config, { checksums }: { readonly checksums: boolean }): Metrics {
  return createMetrics({ version: VERSION, trash: policy.trash.enabled, checksums, ledger: ledger.enabled });
}

function keeperOf(config: Config, parts: Pick<ChecksumKeeperOptions, 'logger' | 'observer' | 'paused'>): ChecksumKeeper {
  const { basePath, locksPath, policy } = config;
  const { minimumAgeFloorSeconds, naming } = policy;
  const scanner = createBaseScanner({ ...config, naming });
  const locker = createFileLocker({ locksPath });
  const { bytesPerSecond } = config.verify.checksums;
  return createChecksumKeeper({ ...parts, basePath, scanner, locker, clock: systemClock, bytesPerSecond, minimumAgeFloorSeconds });
}

/** Until the work ends, or a second after the signal aborts: a read from a disk that hangs may never come back. */
async function drained(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => stopped.resolve(), { once: true });
  if (signal.aborted) stopped.resolve();
  await Promise.race([work, stopped.promise.then(() => delay(1000, undefined, { ref: false }))]);
}

function writesToCluster({ annotations, events }: Config): boolean {
  return annotations || events;
}

function nodeReporter(config: Config, { client, node }: Cluster, logger: Logger): KubeReporter {
  const { annotations, events, heartbeatSeconds, schedule, nodeName: instance } = config;
  const intervalSeconds = schedule.kind === 'interval' ? schedule.intervalSeconds : undefined;
  const what = { instance, annotations, events, heartbeatSeconds, intervalSeconds };
  return createKubeReporter({ client, node, clock: systemClock, logger, ...what });
}

interface LoopParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sources: readonly WorkloadSource[];
  readonly membership?: Membership | undefined;
  readonly node: OwnNode | undefined;
  readonly serverTime: KubeClient['serverTime'];
  readonly reporter: KubeReporter | undefined;
  readonly keeper: ChecksumKeeper | undefined;
  readonly removals: Removals;
}

interface Removals extends ReportPart {
  last(): LastRemoval | undefined;
}

/** The last pass that removed something: of this process, else what the node's annotation says of an earlier one. */
function rememberRemovals(node: OwnNode | undefined): Removals {
  let last: LastRemoval | undefined;
  return {
    last: () => last ?? parseLastRemoval(node?.current()?.annotations[NODE_ANNOTATIONS.lastRemoval]),
    publish(report) {
      last = removalOf(report) ?? last;
      return Promise.resolve();
    },
  };
}

function createLoop(config: Config, all: LoopParts): Agent {
  const { logger, metrics, sources, membership, node, serverTime, reporter, keeper, removals } = all;
  const parts = passParts(config, sources, systemClock, { checksums: keeper?.mismatches, serverTime, comparesFiles: true, logger });
  const { nodeName, policy, basePath } = config;
  const about = () => ({ node: nodeName, takenAt: timestamp(systemClock.now().wallMs), preset: policy.preset, basePath });
  return createPassLoop({
    mode: config.mode,
    schedule: { ...config.schedule, offsetMs: offsetOfNode(nodeName, config.schedule.jitterSeconds) },
    passDeadlineMs: config.passDeadlineSeconds * 1000,
    clock: systemClock,
    logger,
    sources,
    node,
    tidy: () => void tidyHeap(),
    reporter: createReporter([createLogReporter(logger), metrics, removals, ...(reporter === undefined ? [] : [reporter])], logger),
    pass: async (options) => {
      await membership?.register(options.signal);
      return await runPass(parts, options);
    },
    skipped: (message) => emptyReport(about(), 'Skipped', message, { durationSeconds: 0, stageSeconds: {} }),
    onMode: (mode) => metrics.setMode(mode),
    onUnknownMode: (value, instead) => {
      logger.warn(
        { value, mode: instead },
        'the annotation basekeeper.io/mode is not a mode: set it to off, dry-run or enforce, or remove it',
      );
      reporter?.tellUnknownMode(value, instead);
    },
  });
}

/** For probes and metrics: reading the registry takes Nova's lock, which its user may hold for as long as it likes. */
function statusesOf(sources: readonly WorkloadSource[]): () => Promise<readonly SourceStatus[] | undefined> {
  const read = async () => (await readAll(sources)).map(({ status }) => status);
  return sharedAnswer(read, { clock: systemClock, freshMs: freshMsOf, waitMs: 2000, staleMs: 30_000 });
}

interface DoorParts extends Pick<LoopParts, 'logger' | 'metrics' | 'removals'> {
  readonly statuses: () => Promise<readonly SourceStatus[] | undefined>;
  readonly loop: Agent;
  readonly client: KubeClient | undefined;
}

function openDoor(config: Config, { logger, metrics, statuses, loop, client, removals }: DoorParts): Door {
  const { report, statusPage, ...http } = config.http;
  return createDoor({
    ...http,
    ...reviewersOf(config, client),
    logger,
    metrics,
    probes: {
      unhealthy: () => loop.status().unhealthy,
      unready: async () => unreadySources(await statuses()),
    },
    report: () => loop.status().lastReport,
    history: historyOpener(config),
    agent: () => ({
      version: VERSION,
      node: config.nodeName,
      ...loop.status(),
      lastRemoval: removals.last(),
      nowMs: systemClock.now().wallMs,
      documentsUrl: config.http.documentsUrl?.replace(/\/+$/, ''),
    }),
    switches: { report, statusPage },
  });
}
