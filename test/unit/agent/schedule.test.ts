import { describe, expect, it } from 'vitest';
import { nextPassMs, offsetOfNode, type NodeSchedule } from '../../../src/agent/schedule.ts';

const at = (text: string): number => Date.parse(text);

describe("a node's offset", () => {
  it('should be the same at every start and spread over the whole range between nodes', () => {
    const offsets = Array.from({ length: 1000 }, (_, index) => offsetOfNode(`node-${index}`, 300));
    expect(offsetOfNode('node-7', 300)).toBe(offsets[7]);
    expect(offsets.filter((offset) => offset < 150_000).length).toBeGreaterThan(400);
    expect(offsets.filter((offset) => offset >= 150_000).length).toBeGreaterThan(400);
    expect(Math.max(...offsets)).toBeLessThan(300_000);
  });

  it('should be nothing where no jitter is wanted', () => {
    expect(offsetOfNode('node-a', 0)).toBe(0);
  });
});

describe('the next pass', () => {
  it('should begin within seconds at first, then by the whole offset later, then one interval after the last start', () => {
    const schedule: NodeSchedule = { kind: 'interval', intervalSeconds: 2400, jitterSeconds: 300, offsetMs: 207_000 };
    expect(nextPassMs(schedule, 1_000_000, undefined)).toBe(1_002_000);
    expect(nextPassMs(schedule, 1_010_000, { startMs: 1_002_000, isFirst: true })).toBe(1_000_000 + 207_000 + 2_400_000);
    expect(nextPassMs(schedule, 3_610_000, { startMs: 3_607_000, isFirst: false })).toBe(6_007_000);
  });

  it('should begin at once when a pass took longer than the interval', () => {
    expect(
      nextPassMs({ kind: 'interval', intervalSeconds: 1, jitterSeconds: 0, offsetMs: 0 }, 9000, { startMs: 5000, isFirst: false }),
    ).toBe(9000);
  });

  it('should begin one interval from now when the clock was set back by years since the last start', () => {
    expect(
      nextPassMs({ kind: 'interval', intervalSeconds: 2400, jitterSeconds: 0, offsetMs: 7000 }, 1_000_000, {
        startMs: 315_000_000_000,
        isFirst: false,
      }),
    ).toBe(3_400_000);
  });

  it('should follow a cron expression in its time zone, later by the offset', () => {
    const schedule: NodeSchedule = { kind: 'cron', expression: '30 3 * * *', jitterSeconds: 0, timeZone: 'Europe/Berlin', offsetMs: 5000 };
    expect(nextPassMs(schedule, at('2026-11-23T14:00:00Z'), undefined)).toBe(at('2026-11-24T02:30:05Z'));
    expect(nextPassMs(schedule, at('2026-07-01T00:00:00Z'), undefined)).toBe(at('2026-07-01T01:30:05Z'));
  });

  it('should not leave out a tick whose offset is still to come', () => {
    const schedule: NodeSchedule = { kind: 'cron', expression: '0 * * * *', timeZone: 'UTC', jitterSeconds: 0, offsetMs: 60_000 };
    expect(nextPassMs(schedule, at('2026-11-23T14:00:30Z'), undefined)).toBe(at('2026-11-23T14:01:00Z'));
    expect(nextPassMs(schedule, at('2026-11-23T14:01:00Z'), undefined)).toBe(at('2026-11-23T15:01:00Z'));
  });

  it('should understand six fields, seconds first', () => {
    expect(
      nextPassMs(
        { kind: 'cron', expression: '*/10 * * * * *', timeZone: 'UTC', jitterSeconds: 0, offsetMs: 0 },
        at('2026-11-23T14:00:03Z'),
        undefined,
      ),
    ).toBe(at('2026-11-23T14:00:10Z'));
  });
});
