import { setTimeout as pause } from 'node:timers/promises';
import { asAdmin, type KubeServer } from '../../test/helpers/kube-server.ts';
import { firstAndLast, FLEET_USER, patches, publishAll, shared, type Stage } from '../lib/fleet-stage.ts';
import type { Row } from '../../scripts/lib/results.ts';

/** Gives the fleet a flow of its own with the least concurrency, and sees what another client feels of it. */
export async function ownFlow(stage: Stage): Promise<Row> {
  const { server, fleet, context } = stage;
  await createFlow(server);
  // An admission or flow control object takes a second or two to act.
  await pause(3000);
  const latencies: number[] = [];
  const others = new AbortController();
  const probing = probe(server, latencies, others.signal);
  const throttledBefore = fleet.answeredWith('429');
  const { samples, seconds } = await publishAll(stage, 3);
  others.abort();
  await probing;
  await removeFlow(server);
  const [first, last] = firstAndLast(samples);
  const slowest = Math.max(...latencies);
  const written = patches(last) - patches(first);
  const throttled = fleet.answeredWith('429') - throttledBefore;
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
          subjects: [{ kind: 'User', user: { name: FLEET_USER } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
        },
      ],
    },
  });
}

async function removeFlow(server: KubeServer): Promise<void> {
  for (const kind of ['flowschemas', 'prioritylevelconfigurations']) {
    await asAdmin(server, 'DELETE', `/apis/flowcontrol.apiserver.k8s.io/v1/${kind}/basekeeper`);
  }
}

async function probe(server: KubeServer, latencies: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    await asAdmin(server, 'GET', '/api/v1/namespaces/default');
    latencies.push(performance.now() - started);
    await pause(100);
  }
}
