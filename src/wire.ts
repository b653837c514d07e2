import { createAgent as createPassLoop, type Agent } from './agent.ts';
import type { Config } from './config/types.ts';
import { runPass, type PassParts } from './cycle.ts';
import { createBaseDirectoryOpener } from './execute/base-directory.ts';
import { createExecutor } from './execute/executor.ts';
import { createFileLocker } from './execute/file-lock.ts';
import { connectClient, connectToCluster, type Cluster } from './kube/connect.ts';
import type { OwnNode } from './kube/types.ts';
import { systemClock } from './lib/clock.ts';
import { UsageError } from './lib/errors.ts';
import { offsetOfNode, type Schedule } from './lib/schedule.ts';
import { sleep } from './lib/sleep.ts';
import { VERSION } from './lib/version.ts';
import type { Report, Stage } from './model/plan.ts';
import type { Clock, Logger, WorkloadSource } from './model/ports.ts';
import type { SourceReading } from './model/workload.ts';
import { timestamp } from './plan/planned-files.ts';
import { collectReferences } from './references/collect-references.ts';
import { runNowAnswer } from './report/annotations.ts';
import { emptyReport } from './report/build-report.ts';
import { createReporter } from './report/composite.ts';
import { unreadySources } from './report/health.ts';
import { createHttpServer, type HttpServer } from './report/http.ts';
import { createKubeReporter, type KubeReporter } from './report/kube-reporter.ts';
import { createLogReporter } from './report/log.ts';
import { createMetrics, type Metrics } from './report/metrics.ts';
import { removeNodeAnnotations, type NodeCleanup } from './report/node-cleanup.ts';
import { systemTiming } from './report/timing.ts';
import { createBaseScanner } from './scan/base-dir.ts';
import { createOverlayScanner } from './scan/overlays.ts';
import { createFileSource } from './sources/file.ts';
import { createLibvirtSource } from './sources/libvirt.ts';
import { createPinSource } from './sources/pin-source.ts';
import { createPodSource } from './sources/pod-source.ts';
import { createRuleSource } from './sources/rule-source.ts';
import { tryRules as tryRulesOn } from './sources/rule-trial.ts';
import { createVmiSource } from './sources/vmi-source.ts';

/** How long a single pass waits for its sources to be listed before it goes on with a closed gate. */
const SYNC_WAIT_MS = 30_000;
const SYNC_POLL_MS = 50;
/** Our service account's namespace, where the pod that we run in lives. */
const NAMESPACE_VARIABLE = 'POD_NAMESPACE';

export interface PassRun {
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** A single pass as the command line runs it. */
export interface WiredPass {
  runPass(options: PassRun): Promise<Report>;
  close(): Promise<void>;
}

/** Throws when a cluster is needed and no kubeconfig can be had. */
export async function createPass(config: Config): Promise<WiredPass> {
  const cluster = asksCluster(config) ? await connectToCluster(config.nodeName, undefined) : undefined;
  const sources = createSources(config, cluster);
  const parts = passParts(config, sources);
  for (const source of sources) source.start();
  return {
    async runPass(options) {
      await untilListed(sources, options.signal);
      return runPass(parts, options);
    },
    async close() {
      await Promise.all(sources.map((source) => source.stop()));
      cluster?.client.close();
    },
  };
}

/** Removes our annotations from every node of the cluster. */
export async function cleanUpNodes(signal: AbortSignal): Promise<NodeCleanup> {
  const client = await connectClient();
  try {
    return await removeNodeAnnotations({ client, timing: systemTiming, signal });
  } finally {
    client.close();
  }
}

/** Tries each rule on the object as the agent of that node would. */
export function tryRules(about: Pick<Config, 'nodeName' | 'subdirectoryName'> & Pick<Config['sources'], 'rules'>, object: unknown) {
  return tryRulesOn(about.rules, about.nodeName, object).map((trial) => {
    const { byDigest, byName } = collectReferences(trial.workload === undefined ? [] : [trial.workload], about.subdirectoryName);
    return { ...trial, baseFiles: [...byDigest.keys(), ...byName.keys()] };
  });
}

export interface WiredAgent {
  /** Serves and runs passes until the signal aborts. Throws when the HTTP address cannot be had. */
  run(signal: AbortSignal): Promise<void>;
}

export async function createAgent(config: Config, { logger }: { readonly logger: Logger }): Promise<WiredAgent> {
  const metrics = createMetrics({ version: VERSION });
  const cluster =
    asksCluster(config) || writesToCluster(config) ? await connectToCluster(config.nodeName, metrics.requestObserver) : undefined;
  const sources = createSources(config, cluster);
  const reporter = cluster === undefined ? undefined : nodeReporter(config, cluster, logger);
  const loop = createLoop(config, { logger, metrics, sources, node: cluster?.node, reporter });
  metrics.watchSources(async () => (await readAll(sources)).map(({ status }) => status));
  const http = createServer(config, { logger, metrics, sources, loop });
  return {
    async run(signal) {
      const { port } = await http.start();
      logger.info({ version: VERSION, node: config.nodeName, mode: config.mode, port }, 'the agent has started');
      await loop.run(signal);
      await Promise.all([http.close(), reporter?.close()]);
      cluster?.client.close();
      logger.info({}, 'the agent has stopped');
    },
  };
}

/** What a pass on this machine works with: the real scanners and the real executor. */
export function passParts(config: Config, sources: readonly WorkloadSource[], clock: Clock = systemClock): PassParts {
  const { instancesPath, subdirectoryName, locksPath, policy } = config;
  // Where nobody gave another path, headers may also name what the instances path resolves to.
  const hostInstancesPath = config.hostInstancesPath === instancesPath ? undefined : config.hostInstancesPath;
  const locker = createFileLocker({ locksPath });
  return {
    node: config.nodeName,
    policy,
    basePath: config.basePath,
    baseDirectoryName: subdirectoryName,
    sources,
    scanner: createBaseScanner({ instancesPath, subdirectoryName, naming: policy.naming, clock }),
    overlays: createOverlayScanner({ instancesPath, subdirectoryName, locksPath, hostInstancesPath, overlays: policy.overlays, clock }),
    executor: createExecutor({ locker, directories: createBaseDirectoryOpener(), clock, policy }),
    clock,
  };
}

function asksCluster({ sources }: Config): boolean {
  return sources.pods.enabled || sources.virtualMachineInstances.enabled || sources.rules.length > 0;
}

function writesToCluster({ annotations, events }: Config): boolean {
  return annotations || events;
}

function createSources(config: Config, cluster: Cluster | undefined): WorkloadSource[] {
  const { sources, nodeName, hostInstancesPath: instancesPath, exemptPods } = config;
  const found: WorkloadSource[] = [];
  if (cluster !== undefined) {
    const { watches, node } = cluster;
    const ownNamespace = process.env[NAMESPACE_VARIABLE];
    const shared = { ...watches, nodeName, instancesPath };
    const vmis = sources.virtualMachineInstances.enabled ? createVmiSource(shared) : undefined;
    if (sources.pods.enabled) {
      found.push(createPodSource({ ...shared, vmis, exemptPods, selector: sources.pods.selector, ownNamespace }));
    }
    if (vmis !== undefined) found.push(vmis);
    found.push(...sources.rules.map((rule) => createRuleSource({ ...shared, rule })));
    found.push(createPinSource({ ...shared, node, configMapNamespace: config.pinConfigMaps ? namespaceOfPins(ownNamespace) : undefined }));
  }
  if (sources.file !== undefined) found.push(createFileSource({ path: sources.file.path, clock: systemClock }));
  if (sources.libvirt !== undefined) found.push(createLibvirtSource({ ...sources.libvirt, instancesPath, clock: systemClock }));
  return found;
}

function namespaceOfPins(ownNamespace: string | undefined): string {
  if (ownNamespace !== undefined && ownNamespace !== '') return ownNamespace;
  throw new UsageError(`pins.configMaps needs the agent's namespace: set the environment variable ${NAMESPACE_VARIABLE}`);
}

function nodeReporter(config: Config, { client, node }: Cluster, logger: Logger): KubeReporter {
  const { annotations, events, heartbeatSeconds } = config;
  return createKubeReporter({ client, node, clock: systemClock, logger, instance: config.nodeName, annotations, events, heartbeatSeconds });
}

interface LoopParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sources: readonly WorkloadSource[];
  readonly node: OwnNode | undefined;
  readonly reporter: KubeReporter | undefined;
}

function createLoop(config: Config, { logger, metrics, sources, node, reporter }: LoopParts): Agent {
  const parts = passParts(config, sources);
  const { nodeName, policy, basePath } = config;
  const about = () => ({ node: nodeName, takenAt: timestamp(systemClock.now().wallMs), preset: policy.preset, basePath });
  return createPassLoop({
    mode: config.mode,
    schedule: scheduleOf(config),
    passDeadlineMs: config.passDeadlineSeconds * 1000,
    clock: systemClock,
    logger,
    sources,
    node,
    reporter: createReporter([createLogReporter(logger), metrics, ...(reporter === undefined ? [] : [reporter])], logger),
    pass: (options) => runPass(parts, options),
    skipped: (message) => emptyReport(about(), 'Skipped', message, { durationSeconds: 0, stageSeconds: {} }),
    runNowAnswer,
    onMode: (mode) => metrics.setMode(mode),
  });
}

function scheduleOf({ schedule, nodeName }: Config): Schedule {
  const offsetMs = offsetOfNode(nodeName, schedule.jitterSeconds);
  return schedule.kind === 'cron'
    ? { cron: schedule.expression, timeZone: schedule.timeZone, offsetMs }
    : { intervalMs: schedule.intervalSeconds * 1000, offsetMs };
}

interface ServerParts extends Pick<LoopParts, 'logger' | 'metrics' | 'sources'> {
  readonly loop: Agent;
}

function createServer(config: Config, { logger, metrics, sources, loop }: ServerParts): HttpServer {
  const { address, port, report, statusPage } = config.http;
  return createHttpServer({
    address,
    port,
    logger,
    metrics,
    health: async () => ({
      unhealthy: loop.status().unhealthy,
      unready: unreadySources((await readAll(sources)).map(({ status }) => status)),
    }),
    report: () => loop.status().lastReport,
    agent: () => ({ version: VERSION, node: config.nodeName, ...loop.status(), nowMs: systemClock.now().wallMs }),
    switches: { report, statusPage },
  });
}

function readAll(sources: readonly WorkloadSource[], signal?: AbortSignal): Promise<SourceReading[]> {
  return Promise.all(sources.map((source) => source.read({ consistent: false, signal })));
}

async function untilListed(sources: readonly WorkloadSource[], signal: AbortSignal | undefined): Promise<void> {
  const giveUpMs = systemClock.now().monotonicMs + SYNC_WAIT_MS;
  const isListed = async (): Promise<boolean> => (await readAll(sources, signal)).every(({ status }) => status.state !== 'syncing');
  while (!(await isListed()) && systemClock.now().monotonicMs < giveUpMs) {
    if (signal?.aborted === true) return;
    await sleep(SYNC_POLL_MS, signal);
  }
}
