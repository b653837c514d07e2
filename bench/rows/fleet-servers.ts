import { startTcpProxy } from '../../test/helpers/fault-proxy.ts';
import type { KubeServer } from '../../test/helpers/kube-server.ts';
import { modelOf } from '../lib/fleet-model.ts';
import { firstAndLast, shared, type Stage, startFleet, untilCached, verbs, watchesOf } from '../lib/fleet-stage.ts';
import { createNode, populate } from '../lib/node-objects.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { serverCounts, watchServer } from '../lib/server-counts.ts';

const MOST_AGENTS = 100;

/** A control plane of two API servers behind a forwarder: one stops, and its agents move to the other, whose cache has the past. */
export async function moveBetweenServers(stage: Stage): Promise<Row> {
  const { context, server, size } = stage;
  const agents = Math.min(MOST_AGENTS, size.agents);
  const { watches } = modelOf(agents);
  const other = await server.addApiServer();
  // A cache of custom resources begins with the first request for them, and a past with the first change after that.
  await untilCached(other);
  await changeSomething(server);
  const forwarder = await startTcpProxy(server);
  context.defer(async () => await forwarder.close());
  const fleet = startFleet(context, server, agents, forwarder.url);
  const before = await serverCounts(other);
  await fleet.all({ do: 'start' });
  await watchServer(
    server,
    async (counts) => watchesOf(counts, stage) >= watches && (await fleet.all({ do: 'synced' })) === agents,
    120_000,
  );
  const [listed, lostBefore] = [fleet.seen('list 200'), fleet.seen('event 410')];
  forwarder.redirect(other.rest.server);
  await server.stopApiServer();
  const samples = await watchServer(other, (counts) => watchesOf(counts, { ownWatches: before.openWatches }) >= watches, 120_000);
  const [, last] = firstAndLast(samples);
  await fleet.all({ do: 'synced' });
  const moved = watchesOf(last, { ownWatches: before.openWatches });
  const lists = fleet.seen('list 200') - listed;
  const lost = fleet.seen('event 410') - lostBefore;
  await fleet.all({ do: 'stop' }).catch(() => fleet.kill());
  context.say(`  two API servers: ${moved} watches moved, ${lists} lists, ${lost} times 410`);
  return {
    ...shared,
    id: 'fleet-servers',
    what: `one of two API servers on one etcd stops; its ${agents} agents move to the other`,
    goal: 'watches resume without a list',
    figure: `${moved} of ${watches} watches resumed; ${lists} lists, ${lost} watches heard that the past is lost; at the other server: ${verbs(before, last)}`,
    met: lists === 0 && lost === 0 && moved >= watches,
    measures: { agents, openWatches: moved, lists, pastLost: lost },
  };
}

/** Both servers run for long in a real cluster, and see each kind of object change; here one of them has only just started. */
async function changeSomething(server: KubeServer): Promise<void> {
  await createNode(server, 'changed-since');
  await populate(server, 'changed-since', { pods: 2, vmis: 1 });
}
