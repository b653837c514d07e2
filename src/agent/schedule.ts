import { createHash } from 'node:crypto';
import { CronTime } from 'cron';
import type { Schedule } from '../model/policy.ts';

/** A schedule with this node's share of its jitter. */
export type NodeSchedule = Schedule & { readonly offsetMs: number };

/** A fixed offset in [0, limitSeconds), in ms, that differs between nodes and survives restarts. */
export function offsetOfNode(nodeName: string, limitSeconds: number): number {
  const fraction = createHash('sha256').update(nodeName, 'utf8').digest().readUInt32BE(0) / 2 ** 32;
  return Math.floor(fraction * limitSeconds * 1000);
}

/** The first pass comes at most so late: somebody has just installed the agent, or waits for its node. */
const FIRST_OFFSET_MAX_MS = 5_000;

/** The last pass of this agent. */
export interface PreviousStart {
  /** Wall-clock time (ms) at which it began. */
  readonly startMs: number;
  readonly isFirst: boolean;
}

/**
 * Wall-clock time (ms) at which the next pass begins, after `nowMs`. An interval counts from the start of the last pass, but is never
 * longer from now on: the clock may have been set back since. The first pass begins within seconds, and the second is later by what
 * is left of the offset: from then on the passes of a cluster's nodes are apart. Passes by a cron expression begin at its times only.
 */
export function nextPassMs(schedule: NodeSchedule, nowMs: number, previous: PreviousStart | undefined): number {
  if (schedule.kind === 'interval') {
    const firstOffsetMs = schedule.offsetMs % FIRST_OFFSET_MAX_MS;
    if (previous === undefined) return nowMs + firstOffsetMs;
    const restMs = previous.isFirst ? schedule.offsetMs - firstOffsetMs : 0;
    return Math.max(nowMs, Math.min(nowMs, previous.startMs) + schedule.intervalSeconds * 1000 + restMs);
  }
  const time = new CronTime(schedule.expression, schedule.timeZone);
  const tick = time.getNextDateFrom(new Date(nowMs - schedule.offsetMs), schedule.timeZone);
  return tick.toMillis() + schedule.offsetMs;
}
