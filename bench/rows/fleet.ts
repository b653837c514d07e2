import { setTimeout as pause } from 'node:timers/promises';
import { expectedRenewals, holdsAgainst, MODEL_FACTOR, modelOf, RECONNECT_SPREAD_SECONDS } from '../lib/fleet-model.ts';
import {
  firstAndLast,
  type FleetSize,
  patches,
  perSecond,
  publishAll,
  shared,
  type Stage,
  startFleet,
  startServer,
  verbs,
  watchesOf,
} from '../lib/fleet-stage.ts';
import type { Bench } from '../lib/row.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { peakPerSecond, serverCounts, watchServer } from '../lib/server-counts.ts';
import { ownFlow } from './fleet-flow.ts';
import { restart } from './fleet-restart.ts';
import { moveBetweenServers } from './fleet-servers.ts';

const MODELLED = [5000, 15_000];
const goal = `within ${MODEL_FACTOR} × of the model`;

/** Many agents' kube side against one real API server, counted at the server. */
export function fleetBench(size: FleetSize): Bench {
  return {
    name: 'fleet',
    async run(context) {
      const server = await startServer(context, size.agents);
      const fleet = startFleet(context, server, size.agents);
      const ownWatches = (await serverCounts(server)).openWatches;
      const stage = { context, server, fleet, size, ownWatches };
      const startedMs = Date.now();
      const rows = [
        await startUp(stage),
        await idle(stage, startedMs),
        await changeAtOnce(stage),
        await ownFlow(stage),
        await restart(stage),
      ];
      await fleet.all({ do: 'stop' }).catch(() => fleet.kill());
      rows.push(await moveBetweenServers(stage));
      const confirmed = rows.filter(({ goal: text }) => text.includes('model')).every(({ met }) => met);
      return [...rows, ...MODELLED.map((agents) => modelRow(agents, size.agents, confirmed))];
    },
  };
}

async function startUp(stage: Stage): Promise<Row> {
  const { context, server, fleet, size } = stage;
  const model = modelOf(size.agents);
  const before = await serverCounts(server);
  const startedMs = Date.now();
  await fleet.all({ do: 'start' });
  const samples = [
    before,
    ...(await watchServer(
      server,
      async (counts) => watchesOf(counts, stage) >= model.watches && (await fleet.all({ do: 'synced' })) === size.agents,
      300_000,
    )),
  ];
  const [, last] = firstAndLast(samples);
  const seconds = (last.atMs - startedMs) / 1000;
  const peak = peakPerSecond(samples);
  const openWatches = watchesOf(last, stage);
  const requests = last.total - before.total + openWatches;
  const { holds } = holdsAgainst([[requests, model.startRequests]]);
  const cpuSeconds = last.cpuSeconds - before.cpuSeconds;
  const tooMany = last.tooMany - before.tooMany;
  context.say(
    `  start: synced after ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)}/s, ${verbs(before, last)}, ${tooMany} times 429, ${cpuSeconds.toFixed(1)} s of CPU`,
  );
  return {
    ...shared,
    id: 'fleet-start',
    what: `${size.agents} agents start at the same moment (a DaemonSet's rollout spreads them)`,
    against: `model: ${model.startRequests} requests`,
    goal,
    figure: `${requests} requests, of which ${openWatches} open watches; ${tooMany} more were answered with 429 and came again; all synced after ${seconds.toFixed(0)} s; at most ${peak.toFixed(0)} answered in a second; ${cpuSeconds.toFixed(0)} s of the API server's CPU`,
    met: holds,
    measures: { agents: size.agents, seconds, peakPerSecond: peak, requests, openWatches, tooMany, cpuSeconds },
  };
}

async function idle({ context, server, size }: Stage, startedMs: number): Promise<Row> {
  const before = await serverCounts(server);
  await pause(size.idleSeconds * 1000);
  const after = await serverCounts(server);
  const rate = perSecond(before, after, ({ total }) => total);
  const bytes = perSecond(before, after, ({ watchedBytes }) => watchedBytes);
  const model = modelOf(size.agents);
  const seconds = (after.atMs - before.atMs) / 1000;
  const renewals = expectedRenewals(size.agents, (before.atMs - startedMs) / 1000, (after.atMs - startedMs) / 1000);
  // The first bookmarks come after a minute.
  const bytesModelled = model.idleBytesPerSecond * Math.max(0, 1 - 60 / seconds);
  const { holds } = holdsAgainst([
    [rate * seconds, renewals, size.agents / 10],
    [bytes * seconds, bytesModelled * seconds, size.agents * 1000],
  ]);
  const cpuShare = perSecond(before, after, ({ cpuSeconds }) => cpuSeconds);
  context.say(
    `  idle: ${rate.toFixed(2)}/s (renewals expected: ${(renewals / seconds).toFixed(2)}/s), ${bytes.toFixed(0)} bytes/s watched`,
  );
  return {
    ...shared,
    id: 'fleet-idle',
    what: `${size.agents} agents idle for ${size.idleSeconds} s after that start`,
    against: `model: ${(renewals / seconds).toFixed(2)} requests/s in this window (${model.idlePerSecond.toFixed(1)} once the watches' ends are spread), ${(model.idleBytesPerSecond / 1024).toFixed(1)} KiB/s of bookmarks`,
    goal,
    figure: `${rate.toFixed(2)} requests/s (${verbs(before, after)}), ${(bytes / 1024).toFixed(1)} KiB/s of watch events, ${(cpuShare * 100).toFixed(1)} % of a core in the API server`,
    met: holds,
    measures: {
      agents: size.agents,
      requestsPerSecond: rate,
      expectedPerSecond: renewals / seconds,
      watchedBytesPerSecond: bytes,
      seconds,
      cpuShare,
    },
    ...(size.idleSeconds < 600 ? { note: 'shorter than the 300 to 600 s that a watch lasts' } : {}),
  };
}

async function changeAtOnce(stage: Stage): Promise<Row> {
  const { samples, seconds } = await publishAll(stage, 2);
  const [first, last] = firstAndLast(samples);
  const peak = peakPerSecond(samples, patches);
  const written = patches(last) - patches(first);
  const bytes = last.watchedBytes - first.watchedBytes;
  const { agents } = stage.size;
  const model = modelOf(agents);
  const { holds } = holdsAgainst([
    [written, model.writes],
    [seconds, model.writeSeconds],
    [peak, model.writesPerSecond, 3 * Math.sqrt(model.writesPerSecond)],
    [bytes, model.writeBytes],
  ]);
  stage.context.say(`  change at once: ${written} patches in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)}/s, ${bytes} bytes watched`);
  return {
    ...shared,
    id: 'fleet-change',
    what: `the state of ${agents} nodes changes at once`,
    against: `model: ${model.writesPerSecond.toFixed(0)} writes/s for ${model.writeSeconds} s, ${(model.writeBytes / 1024).toFixed(0)} KiB of watch events`,
    goal,
    figure: `${written} patches in ${seconds.toFixed(0)} s, at most ${peak.toFixed(0)}/s; ${(bytes / 1024).toFixed(0)} KiB of watch events`,
    met: holds,
    measures: { agents, seconds, patches: written, peakPerSecond: peak, watchedBytes: bytes },
  };
}

function modelRow(agents: number, measuredAgents: number, confirmed: boolean): Row {
  const model = modelOf(agents);
  return {
    ...shared,
    id: `fleet-model-${agents}`,
    what: `model of ${agents.toLocaleString('en')} agents`,
    against: `the model ${confirmed ? 'held' : 'did **not** hold'} for ${measuredAgents} agents, above`,
    figure:
      `start: ${model.startRequests} requests in all; idle: ${model.idlePerSecond.toFixed(0)} requests/s, ${model.watches} watches, ${(model.idleBytesPerSecond / 1024).toFixed(0)} KiB/s of bookmarks; ` +
      `restart: ${model.restartRequests} requests, ${model.restartPerSecond.toFixed(0)}/s for ${RECONNECT_SPREAD_SECONDS} s; ` +
      `all change at once: ${model.writesPerSecond.toFixed(0)} writes/s for ${model.writeSeconds} s, ${(model.writeBytes / 2 ** 20).toFixed(0)} MiB of watch events`,
    measures: { agents, ...model },
  };
}
