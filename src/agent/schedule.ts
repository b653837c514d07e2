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

/**
 * Wall-clock time (ms) at which the next pass begins, after `nowMs`. An interval counts from `lastStartMs`, the start of the
 * last pass, but is never longer from now on: the clock may have been set back since. Without a last pass, the first begins after the
 * offset alone.
 */
export function nextPassMs(schedule: NodeSchedule, nowMs: number, lastStartMs: number | undefined): number {
  if (schedule.kind === 'interval') {
    if (lastStartMs === undefined) return nowMs + schedule.offsetMs;
    return Math.max(nowMs, Math.min(nowMs, lastStartMs) + schedule.intervalSeconds * 1000);
  }
  const time = new CronTime(schedule.expression, schedule.timeZone);
  const tick = time.getNextDateFrom(new Date(nowMs - schedule.offsetMs), schedule.timeZone);
  return tick.toMillis() + schedule.offsetMs;
}
