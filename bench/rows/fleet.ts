import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asAdmin, startKubeServer, type KubeServer } from '../../test/helpers/kube-server.ts';
import { Fleet, peakPerSecond, serverCounts, type ServerCounts, watchServer } from '../lib/fleet.ts';
import { createNode, prepareServer } from '../lib/node-objects.ts';
import type { Bench, BenchContext, Row } from '../lib/row.ts';

const USER = 'basekeeper-fleet';
const TOKEN = 'fleet-token-of-a-server-on-loopback';
/** Pods, VMIs by node, VMIs by migration target, the node. */
const WATCHES_PER_AGENT = 4;
/** The middle of what `timing.ts` draws a watch's length from. */
const MEAN_WATCH_SECONDS = 450;
const HEARTBEAT_SECONDS = 3600;
const RECONNECT_SPREAD_SECONDS = 60;
const WRITE_SPREAD_SECONDS = 10;
const MODELLED = [5000, 15_000];

export interface FleetSize {
  readonly agents: number;
  readonly idleSeconds: number;
}

interface Stage {
  readonly context: BenchContext;
  readonly server: KubeServer;
  readonly fleet: Fleet;
  readonly size: FleetSize;
}

/** Many agents' kube side against one real API server, counted at the server. */
export function fleetBench(size: FleetSize): Bench {
  return {
    name: 'fleet',
    async run(context) {
      const server = await startServer(context, size.agents);
      const fleet = new Fleet(server, TOKEN, size.agents, Math.min(4, Math.ceil(size.agents / 50)));
      context.defer(() => fleet.kill());
      const stage = { context, server, fleet, size };
      const rows = [await startUp(stage), await idle(stage), await changeAtOnce(stage), await ownFlow(stage), await restart(stage)];
      await fleet.all({ do: 'stop' }).catch(() => fleet.kill());
      return [...rows, ...MODELLED.map(modelOf)];
    },
  };
}

async function startServer(context: BenchContext, agents: number): Promise<KubeServer> {
  const tokens = join(context.root, 'tokens.csv');
  writeFileSync(tokens, `${TOKEN},${USER},1,"basekeeper"\n`, { mode: 0o600 });
  const server = await startKubeServer({ apiServerFlags: { 'token-auth-file': tokens } });
  context.defer(async () => await server.stop());
  await prepareServer(server);
  await asAdmin(server, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: USER },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }],
  });
  for (let first = 0; first < agents; first += 20) {
    const some = Array.from({ length: Math.min(20, agents - first) }, (_, index) => `fleet-${first + index}`);
    await Promise.all(some.map(async (name) => await createNode(server, name)));
  }
  return server;
}

const shared = { against: '–', goal: '–', met: undefined } as const;
const watching = ({ openWatches }: ServerCounts, { agents }: FleetSize): boolean => openWatches >= agents * WATCHES_PER_AGENT;
const perSecond = (from: ServerCounts, to: ServerCounts): number => ((to.total - from.total) * 1000) / (to.atMs - from.atMs);
const verbs = (from: ServerCounts, to: ServerCounts): string =>
  Object.entries(to.requests)
    .map(([verb, count]) => [verb, count - (from.requests[verb] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([verb, count]) => `${count} ${verb}`)
    .join(', ');

async function startUp({ context, server, fleet, size }: Stage): Promise<Row> {
  const before = await serverCounts(server);
  const startedMs = Date.now();
  await fleet.all({ do: 'start' });
  const isOver = async (counts: ServerCounts) => watching(counts, size) && (await fleet.all({ do: 'synced' })) === size.agents;
  const samples = [before, ...(await watchServer(server, isOver, 300_000))];
  const last = samples.at(-1) ?? before;
  const seconds = (last.atMs - startedMs) / 1000;
  const peak = peakPerSecond(samples);
  const perAgent = (last.total - before.total + last.openWatches) / size.agents;
  context.say(
    `  ${size.agents} agents synced after ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)}/s, ${perAgent.toFixed(1)} requests each`,
  );
  return {
    ...shared,
    id: 'fleet-start',
    what: `${size.agents} agents start at the same moment`,
    figure: `all synced after ${seconds.toFixed(0)} s; at most ${peak.toFixed(0)} requests/s; ${perAgent.toFixed(1)} requests for each agent, ${last.openWatches} watches`,
    measures: { agents: size.agents, seconds, peakPerSecond: peak, requestsPerAgent: perAgent, openWatches: last.openWatches },
  };
}

async function idle({ context, server, size }: Stage): Promise<Row> {
  const before = await serverCounts(server);
  await pause(size.idleSeconds * 1000);
  const after = await serverCounts(server);
  const rate = perSecond(before, after);
  const bytes = ((after.watchedBytes - before.watchedBytes) * 1000) / (after.atMs - before.atMs);
  context.say(`  idle: ${rate.toFixed(2)}/s, ${bytes.toFixed(0)} bytes/s watched`);
  return {
    ...shared,
    id: 'fleet-idle',
    what: `${size.agents} agents idle for ${size.idleSeconds} s`,
    against: `model: ${modelIdle(size.agents).toFixed(1)} requests/s once the watches' ends are spread`,
    figure: `${rate.toFixed(2)} requests/s (${verbs(before, after) || 'none'}), ${(bytes / 1024).toFixed(1)} KiB/s of watch events`,
    measures: { agents: size.agents, requestsPerSecond: rate, watchedBytesPerSecond: bytes, seconds: size.idleSeconds },
    ...(size.idleSeconds < 600 ? { note: 'shorter than the 300 to 600 s that a watch lasts' } : {}),
  };
}

/** Publishes a changed state on every node at once and counts until all is written. */
async function publishAll({ server, fleet }: Stage, files: number): Promise<{ samples: ServerCounts[]; seconds: number }> {
  const samples = [await serverCounts(server)];
  const startedMs = Date.now();
  await fleet.all({ do: 'publish', files });
  let written = false;
  const writing = fleet.all({ do: 'idle' }).then(() => (written = true));
  samples.push(...(await watchServer(server, () => written, 180_000)));
  await writing;
  return { samples, seconds: (Date.now() - startedMs) / 1000 };
}

const patches = ({ requests }: ServerCounts): number => requests['PATCH'] ?? 0;

async function changeAtOnce(stage: Stage): Promise<Row> {
  const { samples, seconds } = await publishAll(stage, 2);
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new Error('nothing was counted');
  const peak = peakPerSecond(samples, patches);
  const { agents } = stage.size;
  stage.context.say(`  change at once: ${patches(last) - patches(first)} patches in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)}/s`);
  return {
    ...shared,
    id: 'fleet-change',
    what: `the state of ${agents} nodes changes at once`,
    against: `model: ${(agents / WRITE_SPREAD_SECONDS).toFixed(0)} writes/s for ${WRITE_SPREAD_SECONDS} s`,
    figure: `${patches(last) - patches(first)} patches in ${seconds.toFixed(0)} s, at most ${peak.toFixed(0)}/s`,
    measures: { agents, seconds, patches: patches(last) - patches(first), peakPerSecond: peak },
  };
}

/** Gives the fleet a flow of its own with the least concurrency, and sees what another client feels of it. */
async function ownFlow(stage: Stage): Promise<Row> {
  const { server, fleet, context } = stage;
  await createFlow(server);
  // An admission or flow control object takes a second or two to act.
  await pause(3000);
  const latencies: number[] = [];
  const others = new AbortController();
  const probing = probe(server, latencies, others.signal);
  const { samples, seconds } = await publishAll(stage, 3);
  others.abort();
  await probing;
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new Error('nothing was counted');
  const slowest = Math.max(...latencies);
  const written = patches(last) - patches(first);
  const throttled = fleet.answeredWith('429');
  const rejected = last.rejected - first.rejected;
  context.say(
    `  own flow: ${written} patches in ${seconds.toFixed(1)} s, ${rejected} rejected, ${throttled} seen as 429, others ≤ ${slowest.toFixed(0)} ms`,
  );
  return {
    ...shared,
    id: 'fleet-flow',
    what: 'the same with a flow schema of its own and the smallest concurrency, no queue',
    figure: `${rejected} requests rejected by the server, ${throttled} 429 seen and waited for; all written after ${seconds.toFixed(0)} s; another client's slowest of ${latencies.length} requests took ${slowest.toFixed(0)} ms`,
    measures: { seconds, patches: written, rejected, throttled, slowestOtherMs: slowest, otherRequests: latencies.length },
  };
}

async function createFlow(server: KubeServer): Promise<void> {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  const path = `/apis/${apiVersion}`;
  await asAdmin(server, 'POST', `${path}/prioritylevelconfigurations`, {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'basekeeper' },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 1, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
    },
  });
  await asAdmin(server, 'POST', `${path}/flowschemas`, {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name: 'basekeeper' },
    spec: {
      matchingPrecedence: 500,
      priorityLevelConfiguration: { name: 'basekeeper' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: USER } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
        },
      ],
    },
  });
}

async function probe(server: KubeServer, latencies: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    await asAdmin(server, 'GET', '/api/v1/namespaces/default');
    latencies.push(performance.now() - started);
    await pause(100);
  }
}

/**
 * Restarts the API server and follows how the watches come back: its counters begin at nought. A herd of lists is any number above a
 * tenth of the agents.
 */
async function restart({ context, server, size }: Stage): Promise<Row> {
  const { path, remove } = { path: '/apis/flowcontrol.apiserver.k8s.io/v1', remove: ['flowschemas', 'prioritylevelconfigurations'] };
  for (const kind of remove) await asAdmin(server, 'DELETE', `${path}/${kind}/basekeeper`);
  const brokenMs = Date.now();
  await server.restartApiServer();
  const samples = await watchServer(server, (counts) => watching(counts, size), 240_000);
  const last = samples.at(-1);
  if (last === undefined) throw new Error('nothing was counted');
  const share = (part: number): number => {
    const reached = samples.find(({ openWatches }) => openWatches >= part * size.agents * WATCHES_PER_AGENT);
    return reached === undefined ? Number.NaN : (reached.atMs - brokenMs) / 1000;
  };
  const opening = ({ openWatches, total }: ServerCounts) => openWatches + total;
  const peak = peakPerSecond(samples, opening);
  const lists = last.requests['LIST'] ?? 0;
  context.say(`  restart: half of the watches after ${share(0.5)} s, all after ${share(1)} s, peak ${peak.toFixed(0)}/s, ${lists} lists`);
  return {
    ...shared,
    id: 'fleet-restart',
    what: `the API server of ${size.agents} agents restarts`,
    against: `model: ${((size.agents * WATCHES_PER_AGENT) / RECONNECT_SPREAD_SECONDS).toFixed(0)} watches/s for ${RECONNECT_SPREAD_SECONDS} s`,
    goal: 'spread ≥ 60 s, no relist herd',
    figure: `half of ${last.openWatches} watches back ${share(0.5).toFixed(0)} s after it stopped, all after ${share(1).toFixed(0)} s; at most ${peak.toFixed(0)}/s; ${lists} lists`,
    met: share(1) >= RECONNECT_SPREAD_SECONDS && lists <= size.agents / 10,
    measures: {
      agents: size.agents,
      halfSeconds: share(0.5),
      allSeconds: share(1),
      peakPerSecond: peak,
      lists,
      openWatches: last.openWatches,
    },
  };
}

function modelIdle(agents: number): number {
  return agents * (WATCHES_PER_AGENT / MEAN_WATCH_SECONDS + 1 / HEARTBEAT_SECONDS);
}

function modelOf(agents: number): Row {
  const idleRate = modelIdle(agents);
  const watches = agents * WATCHES_PER_AGENT;
  return {
    ...shared,
    id: `fleet-model-${agents}`,
    what: `model of ${agents.toLocaleString('en')} agents`,
    figure:
      `start: ${2 * watches} requests in all; idle: ${idleRate.toFixed(0)} requests/s, ${watches} watches; restart: ${(watches / RECONNECT_SPREAD_SECONDS).toFixed(0)} watches/s for ${RECONNECT_SPREAD_SECONDS} s; ` +
      `all change at once: ${(agents / WRITE_SPREAD_SECONDS).toFixed(0)} writes/s for ${WRITE_SPREAD_SECONDS} s`,
    measures: { agents, watches, idlePerSecond: idleRate },
  };
}
