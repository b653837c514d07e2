import { cacheFileName } from '../../../../src/model/names.ts';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../src/model/plan.ts';
import { buildPlan } from '../../../../src/plan/build-plan.ts';
import { HOUR_MS, NOW_MS, baseFile, snapshot, workload, type SnapshotParts } from '../../../helpers/snapshot.ts';

const PRESSURE = { highThresholdPercent: 85, lowThresholdPercent: 80 };
/** Files are counted in blocks. */
const B = 512;
const young = (name: string, hours: number, blocks: number) =>
  baseFile({ name: cacheFileName(name), modifiedAtMs: NOW_MS - hours * HOUR_MS, allocatedBytes: blocks * B });

/** Files of 10, 5, 3 and 1 hours, 40 blocks each, on a file system of 1000 blocks. */
function plan(availableBlocks: number, parts: SnapshotParts = {}): Plan {
  const files = [young('b', 5, 40), young('d', 1, 40), young('a', 10, 40), young('c', 3, 40)];
  const scan = { filesystem: { sizeBytes: 1000 * B, availableBytes: availableBlocks * B }, ...parts.scan };
  return buildPlan(snapshot({ files, ...parts, scan, policy: { pressure: PRESSURE, ...parts.policy } }));
}
const pressed = ({ files }: Plan): string[] => [...files].filter(({ reason }) => reason === 'UnderPressure').map(({ name }) => name);

describe('pressure mode', () => {
  it('should remove unused files before their time, oldest first, until the low threshold', () => {
    const planned = plan(130);
    expect(pressed(planned)).toEqual([cacheFileName('b'), cacheFileName('a')]);
    expect(planned.pressure).toEqual({ ...PRESSURE, usedPercent: 87, bytesToFree: 70 * B, plannedBytes: 80 * B, projectedUsedPercent: 79 });
    expect(planned.totals).toMatchObject({ reclaimableFiles: 2, reclaimableBytes: 80 * B });
    expect(planned.files.at(0)).toMatchObject({ verdict: 'remove', reason: 'UnderPressure', minimumAgeSeconds: 600 });
    expect(planned.findings).toEqual([]);
  });

  it('should do nothing up to the high threshold, and nothing when it is off', () => {
    expect(pressed(plan(150))).toEqual([]);
    expect(plan(150).pressure).toBeUndefined();
    const { pressure: _off, ...policy } = snapshot().policy;
    expect(
      pressed(
        buildPlan({
          ...snapshot({ files: [young('a', 10, 40)], scan: { filesystem: { sizeBytes: 1000 * B, availableBytes: 0 } } }),
          policy,
        }),
      ),
    ).toEqual([]);
  });

  it('should count what is removed anyway before it takes younger files', () => {
    const files = [young('old', 48, 100), young('a', 10, 40)];
    expect(pressed(plan(130, { files }))).toEqual([]);
    expect(plan(130, { files }).pressure).toMatchObject({ plannedBytes: 100 * B });
  });

  it('should never go below the minimum age floor', () => {
    const files = [baseFile({ modifiedAtMs: NOW_MS - 599_000, allocatedBytes: 500 * B })];
    const planned = plan(10, { files });
    expect(pressed(planned)).toEqual([]);
    expect(planned.findings).toEqual([
      {
        type: 'FilesystemPressure',
        message:
          'the file system is 99 % full (thresholds 85 and 80 %), after the planned removals 99 %; base files hold: young 250.0 KiB; the rest is not in the cache',
      },
    ]);
  });

  it('should never weaken the gate, a pin, a reference or the switch of removals', () => {
    expect(pressed(plan(10, { workloads: [] }))).toEqual([]);
    expect(pressed(plan(10, { policy: { removeUnusedBaseImages: false } }))).toEqual([]);
    expect(pressed(plan(10, { policy: { pins: { imageRefs: ['a', 'b', 'c', 'd'], fileNames: [] } } }))).toEqual([]);
    const images = ['a', 'b', 'c', 'd'].map((ref) => ({ role: 'image', ref }) as const);
    expect(pressed(plan(10, { workloads: [workload({ images })] }))).toEqual([]);
  });

  it('should leave files alone that hold no blocks: removing them frees nothing', () => {
    expect(pressed(plan(10, { files: [young('sparse', 10, 0)] }))).toEqual([]);
  });

  it('should not guess where the file system does not tell how full it is', () => {
    expect(pressed(plan(10, { scan: { filesystem: undefined } }))).toEqual([]);
  });
});
