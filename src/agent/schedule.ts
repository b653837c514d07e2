import { createHash } from 'node:crypto';
import { CronTime } from 'cron';

/** When passes begin: after a cron expression, or every so many seconds; later by a per-node offset. */
export type Schedule =
  | { readonly cron: string; readonly timeZone?: string | undefined; readonly offsetMs: number }
  | { readonly intervalMs: number; readonly offsetMs: number };

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
export function nextPassMs(schedule: Schedule, nowMs: number, lastStartMs: number | undefined): number {
  if ('intervalMs' in schedule) {
    if (lastStartMs === undefined) return nowMs + schedule.offsetMs;
    return Math.max(nowMs, Math.min(nowMs, lastStartMs) + schedule.intervalMs);
  }
  const time = new CronTime(schedule.cron, schedule.timeZone ?? 'UTC');
  const tick = time.getNextDateFrom(new Date(nowMs - schedule.offsetMs), schedule.timeZone ?? 'UTC');
  return tick.toMillis() + schedule.offsetMs;
}
