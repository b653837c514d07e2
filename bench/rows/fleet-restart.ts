import { holdsAgainst, MODEL_FACTOR, modelOf, RECONNECT_SPREAD_SECONDS, WATCHES_PER_AGENT } from '../lib/fleet-model.ts';
import { firstAndLast, shared, type Stage, watchesOf } from '../lib/fleet-stage.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { peakPerSecond, type ServerCounts, watchServer } from '../lib/server-counts.ts';

/** The server's own informers and caches list as well. */
const LISTS_OF_ITS_OWN = 20;
/** Peaks are taken over so long: over a second, chance makes them. */
const WINDOW_SECONDS = 5;

const lists = ({ requests }: ServerCounts): number => requests['LIST'] ?? 0;
/** Finished requests and watches that are open. */
const asked = ({ openWatches, total }: ServerCounts): number => openWatches + total;

/**
 * Restarts the API server and follows how the watches come back: its counters begin at nought. The new server has no past, so that each
 * watch has to list. That is no herd if these lists are spread over a minute like the watches, once for each watch, and none reads etcd.
 */
export async function restart(stage: Stage): Promise<Row> {
  const { context, server, size, fleet } = stage;
  const model = modelOf(size.agents);
  await fleet.all({ do: 'synced' });
  const lostBefore = fleet.seen('event 410');
  const brokenMs = Date.now();
  await server.restartApiServer();
  const samples = await watchServer(server, (counts) => watchesOf(counts, stage) >= model.watches, 240_000);
  const [, last] = firstAndLast(samples);
  await fleet.all({ do: 'synced' });
  const lost = fleet.seen('event 410') - lostBefore;
  const after = (part: number): number => {
    const reached = samples.find((sample) => watchesOf(sample, stage) >= part * model.watches);
    return reached === undefined ? Number.NaN : (reached.atMs - brokenMs) / 1000;
  };
  const spread = coarse(samples);
  const peak = peakPerSecond(spread, asked);
  const listPeak = peakPerSecond(spread, lists);
  const evenLists = model.watches / RECONNECT_SPREAD_SECONDS;
  // An agent's lists come together, and agents by chance: four standard deviations of the agents within a window.
  const chance = (4 * WATCHES_PER_AGENT * Math.sqrt((size.agents * WINDOW_SECONDS) / RECONNECT_SPREAD_SECONDS)) / WINDOW_SECONDS;
  const isHerd =
    lists(last) > model.watches + LISTS_OF_ITS_OWN || last.storageLists > LISTS_OF_ITS_OWN || listPeak > 2 * evenLists + chance;
  const { holds } = holdsAgainst([
    [asked(last), model.restartRequests],
    [after(1), RECONNECT_SPREAD_SECONDS + 1],
  ]);
  context.say(
    `  restart: half after ${after(0.5)} s, all after ${after(1)} s, ${asked(last)} requests, peak ${peak.toFixed(0)}/s, ${lists(last)} lists`,
  );
  return {
    ...shared,
    id: 'fleet-restart',
    what: `the only API server of ${size.agents} agents restarts: its watch cache has no past`,
    against: `model: ${model.restartRequests} requests, ${model.restartPerSecond.toFixed(0)}/s for ${RECONNECT_SPREAD_SECONDS} s`,
    goal: `spread ≥ ${RECONNECT_SPREAD_SECONDS} s, no relist herd (one list for each watch, spread like them, none from etcd); within ${MODEL_FACTOR} × of the model`,
    figure:
      `half of ${model.watches} watches back ${after(0.5).toFixed(0)} s after it stopped, all after ${after(1).toFixed(0)} s; ${asked(last)} requests, at most ${peak.toFixed(0)}/s over ${WINDOW_SECONDS} s; ` +
      `${lost} watches heard that the past is lost (410), ${lists(last)} lists, at most ${listPeak.toFixed(0)}/s over ${WINDOW_SECONDS} s; ${last.storageLists} lists read etcd, the server's own included; ` +
      `${last.tooMany} more were answered with 429 and came again; ${last.cpuSeconds.toFixed(0)} s of the API server's CPU`,
    met: after(1) >= RECONNECT_SPREAD_SECONDS && !isHerd && holds,
    measures: {
      agents: size.agents,
      halfSeconds: after(0.5),
      allSeconds: after(1),
      requests: asked(last),
      peakPerSecond: peak,
      lists: lists(last),
      listPeakPerSecond: listPeak,
      storageLists: last.storageLists,
      pastLost: lost,
      tooMany: last.tooMany,
      openWatches: last.openWatches,
      cpuSeconds: last.cpuSeconds,
    },
  };
}

/** Samples at least a window apart. */
function coarse(samples: readonly ServerCounts[]): ServerCounts[] {
  const kept: ServerCounts[] = [];
  for (const sample of samples) {
    const before = kept.at(-1);
    if (before === undefined || sample.atMs - before.atMs >= WINDOW_SECONDS * 1000) kept.push(sample);
  }
  return kept;
}
