/** What a fleet asks of its API server, by arithmetic; the bench holds a measured fleet against it. */

/** Pods, VMIs by node, VMIs by migration target, the node. */
export const WATCHES_PER_AGENT = 4;
/** What `timing.ts` draws a watch's length from. */
const WATCH_SECONDS = [300, 600] as const;
const MEAN_WATCH_SECONDS = (WATCH_SECONDS[0] + WATCH_SECONDS[1]) / 2;
const HEARTBEAT_SECONDS = 3600;
export const RECONNECT_SPREAD_SECONDS = 60;
const WRITE_SPREAD_SECONDS = 10;
/** Measured with API server 1.34: a bookmark comes about once a minute. */
const BOOKMARK_BYTES = 150;
const BOOKMARK_SECONDS = 60;
/** Measured with API server 1.34: the metadata of a node without labels and with our annotations, which its own agent is sent. */
const NODE_EVENT_BYTES = 1010;

/** How far a figure may be from the model, in either direction, for the model to count as confirmed. */
export const MODEL_FACTOR = 1.5;

export interface FleetModel {
  readonly watches: number;
  /** A list and a watch of each collection. */
  readonly startRequests: number;
  /** Renewed watches and heartbeats, once the watches' ends are spread. */
  readonly idlePerSecond: number;
  /** Of bookmarks. */
  readonly idleBytesPerSecond: number;
  /** A watch that is told that the past is lost, then a list and a watch of each collection. */
  readonly restartRequests: number;
  readonly restartPerSecond: number;
  readonly writes: number;
  readonly writesPerSecond: number;
  readonly writeSeconds: number;
  /** Each write is an event for the node's own agent. */
  readonly writeBytes: number;
}

export function modelOf(agents: number): FleetModel {
  const watches = agents * WATCHES_PER_AGENT;
  const restartRequests = 2 * watches + agents;
  return {
    watches,
    startRequests: 2 * watches,
    idlePerSecond: watches / MEAN_WATCH_SECONDS + agents / HEARTBEAT_SECONDS,
    idleBytesPerSecond: (watches * BOOKMARK_BYTES) / BOOKMARK_SECONDS,
    restartRequests,
    restartPerSecond: restartRequests / RECONNECT_SPREAD_SECONDS,
    writes: agents,
    writesPerSecond: agents / WRITE_SPREAD_SECONDS,
    writeSeconds: WRITE_SPREAD_SECONDS,
    writeBytes: agents * NODE_EVENT_BYTES,
  };
}

/**
 * How many of the fleet's watches end between two times after a start at the same moment: none at first, then a wave from 300 to 600 s, and
 * later the steady rate of the model. The renewal function of the length's distribution, second by second.
 */
export function expectedRenewals(agents: number, fromSeconds: number, toSeconds: number): number {
  const [shortest, longest] = WATCH_SECONDS;
  const density = 1 / (longest - shortest);
  const perSecond: number[] = [];
  for (let second = 0; second < toSeconds; second += 1) {
    let rate = second >= shortest && second < longest ? density : 0;
    for (let length = shortest; length < Math.min(longest, second); length += 1) rate += density * (perSecond[second - length] ?? 0);
    perSecond.push(rate);
  }
  return agents * WATCHES_PER_AGENT * perSecond.slice(Math.floor(fromSeconds)).reduce((sum, rate) => sum + rate, 0);
}

/** How many times the measured figure is of the model's, or the other way round: 1 is exact. Small numbers are chance: they deviate by nothing. */
export function deviation(measured: number, modelled: number, chance = 0): number {
  if (Math.abs(measured - modelled) <= chance) return 1;
  const [small, large] = measured < modelled ? [measured, modelled] : [modelled, measured];
  return small <= 0 ? Number.POSITIVE_INFINITY : large / small;
}

/** The worst of several deviations, and whether the model holds. */
export function holdsAgainst(pairs: readonly (readonly [measured: number, modelled: number, chance?: number])[]) {
  const worst = Math.max(...pairs.map(([measured, modelled, chance]) => deviation(measured, modelled, chance)));
  return { worst, holds: worst <= MODEL_FACTOR };
}
