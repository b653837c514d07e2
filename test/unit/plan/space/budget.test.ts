import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../src/model/plan.ts';
import type { BudgetPolicy } from '../../../../src/model/policy.ts';
import type { BaseFile, Footprint } from '../../../../src/model/scan.ts';
import { cacheFileName } from '../../../../src/model/names.ts';
import { buildPlan } from '../../../../src/plan/build-plan.ts';
import { trashEntryName } from '../../../../src/model/trash-names.ts';
import { TrashedRows } from '../../../../src/scan/rows/trashed-files.ts';
import { DAY_MS, HOUR_MS, NOW_MS, baseFile, snapshot, workload, type SnapshotParts } from '../../../helpers/snapshot.ts';

/** Files are counted in blocks. */
const B = 512;
const BUDGET: BudgetPolicy = { maxBytes: 200 * B, lowPercentOfMax: 90 };

function young(name: string, hours: number, blocks = 40, inode = 7n): BaseFile {
  return baseFile({ name: cacheFileName(name), modifiedAtMs: NOW_MS - hours * HOUR_MS, allocatedBytes: blocks * B, inode });
}
const FOUR = [young('b', 5), young('d', 1), young('a', 10), young('c', 3)];

function footprint(blocks: number, over: Partial<Footprint> = {}): Footprint {
  return { bytes: blocks * B, unseenEntries: 0, freeNothing: new Set(), ...over };
}

interface BudgetParts extends SnapshotParts {
  readonly budget?: BudgetPolicy;
}

/** Files of 10, 5, 3 and 1 hours, 40 blocks each, in a cache that holds so many blocks of the 200 of its budget. */
function plan(held: number | Footprint, { budget = BUDGET, ...parts }: BudgetParts = {}): Plan {
  const scan = { footprint: typeof held === 'number' ? footprint(held) : held, ...parts.scan };
  return buildPlan(snapshot({ files: FOUR, ...parts, scan, policy: { budget, ...parts.policy } }));
}

const going = (planned: Plan): string[] => [...planned.files].filter(({ reason }) => reason === 'OverBudget').map(({ name }) => name);
const names = (...images: string[]): string[] => images.map(cacheFileName);

describe('a cache over its budget', () => {
  it('should lose unused files before their time, least recently used first, down to the low mark', () => {
    const planned = plan(201);
    expect(going(planned)).toEqual(names('a'));
    expect(planned.budget).toEqual({
      maxBytes: 200 * B,
      lowBytes: 180 * B,
      heldBytes: 201 * B,
      bytesToFree: 21 * B,
      plannedBytes: 40 * B,
      projectedBytes: 161 * B,
    });
    expect(planned.files.at(2)).toMatchObject({ verdict: 'remove', reason: 'OverBudget', minimumAgeSeconds: 600 });
    expect(going(plan(221))).toEqual(names('b', 'a'));
    expect(planned.findings).toEqual([]);
  });

  it('should lose nothing up to its budget, and nothing without one', () => {
    expect(going(plan(200))).toEqual([]);
    expect(plan(200).budget).toMatchObject({ bytesToFree: 0, plannedBytes: 0, projectedBytes: 200 * B });
    const without = buildPlan(snapshot({ files: FOUR, scan: { footprint: footprint(10_000) } }));
    expect(going(without)).toEqual([]);
    expect(without.budget).toBeUndefined();
  });

  it('should take a share of the file system as its budget', () => {
    const budget = { maxPercentOfFilesystem: 20, lowPercentOfMax: 50 };
    const filesystem = { sizeBytes: 1000 * B, availableBytes: 900 * B };
    expect(plan(201, { budget, scan: { filesystem } }).budget).toMatchObject({
      maxBytes: 200 * B,
      lowBytes: 100 * B,
      bytesToFree: 101 * B,
    });
    expect(plan(10_000, { budget }).budget).toBeUndefined();
  });

  it('should count what is removed anyway before it takes younger files', () => {
    const old = baseFile({ name: cacheFileName('old'), modifiedAtMs: NOW_MS - 2 * DAY_MS, allocatedBytes: 30 * B });
    expect(going(plan(201, { files: [...FOUR, old] }))).toEqual([]);
    expect(plan(201, { files: [...FOUR, old] }).budget).toMatchObject({ plannedBytes: 30 * B });
  });

  it('should never go below the minimum age floor, and say what holds the space', () => {
    const planned = plan(250, { files: [baseFile({ modifiedAtMs: NOW_MS - 599_000, allocatedBytes: 200 * B })] });
    expect(going(planned)).toEqual([]);
    expect(planned.findings).toEqual([
      {
        type: 'BudgetExceeded',
        message:
          'the cache holds 125.0 KiB and its budget is 100.0 KiB, after the planned removals it holds 125.0 KiB: young 100.0 KiB, other entries 25.0 KiB',
      },
    ]);
  });

  it('should never weaken the gate, a pin, a reference or the switch of removals', () => {
    expect(going(plan(1000, { workloads: [] }))).toEqual([]);
    expect(going(plan(1000, { policy: { removeUnusedBaseImages: false } }))).toEqual([]);
    expect(going(plan(1000, { policy: { pins: { imageRefs: ['a', 'b', 'c', 'd'], fileNames: [] } } }))).toEqual([]);
    const images = ['a', 'b', 'c', 'd'].map((ref) => ({ role: 'image', ref }) as const);
    expect(going(plan(1000, { workloads: [workload({ images })] }))).toEqual([]);
  });

  it('should not take files that free nothing for sure: they have several names', () => {
    const files = [young('linked', 10, 40, 8n), young('b', 5, 40, 9n)];
    const planned = plan(footprint(201, { freeNothing: new Set(['1:8']) }), { files });
    expect(going(planned)).toEqual(names('b'));
    const old = baseFile({ name: cacheFileName('old'), allocatedBytes: 100 * B, inode: 8n });
    expect(plan(footprint(201, { freeNothing: new Set(['1:8']) }), { files: [...files, old] }).budget).toMatchObject({
      plannedBytes: 40 * B,
    });
  });

  it('should take no more files than a pass may remove, and leave the rest for the next', () => {
    expect(going(plan(1000, { policy: { maxRemovalsPerPass: 2 } }))).toEqual(names('b', 'a'));
    const planned = plan(1000, { policy: { maxRemovalsPerPass: 2 } });
    expect(planned.budget?.waitingFiles).toBe(2);
    expect(planned.findings).toEqual([]);
    const old = baseFile({ name: cacheFileName('old'), allocatedBytes: B });
    expect(going(plan(1000, { files: [...FOUR, old], policy: { maxRemovalsPerPass: 2 } }))).toEqual(names('a'));
    expect(plan(1000).findings.map(({ type }) => type)).toEqual(['BudgetExceeded']);
  });

  it('should say that it holds more than could be counted', () => {
    const planned = plan(footprint(100, { unseenEntries: 3 }));
    expect(planned.budget?.unseenEntries).toBe(3);
    expect(planned.findings).toEqual([
      { type: 'ScanProblem', message: expect.stringMatching(/could not be counted: 3\. The cache holds more/) },
    ]);
  });
});

describe('a budget and pressure at once', () => {
  const policy = { pressure: { highThresholdPercent: 85, lowThresholdPercent: 80 } };
  const scan = (availableBlocks: number) => ({ filesystem: { sizeBytes: 1000 * B, availableBytes: availableBlocks * B } });
  const reasons = ({ files }: Plan) => [...files].map(({ reason }) => reason);

  it('should count each file for both, and go on until both are met', () => {
    const planned = plan(281, { policy, scan: scan(140) });
    expect(reasons(planned)).toEqual(['UnderPressure', 'YoungerThanMinimumAge', 'UnderPressure', 'OverBudget']);
    expect(planned.pressure).toMatchObject({ bytesToFree: 60 * B, plannedBytes: 120 * B });
    expect(planned.budget).toMatchObject({ bytesToFree: 101 * B, plannedBytes: 120 * B });
  });

  it('should work each alone', () => {
    expect(reasons(plan(100, { policy, scan: scan(130) }))).toContain('UnderPressure');
    expect(reasons(plan(100, { policy, scan: scan(130) }))).not.toContain('OverBudget');
    expect(reasons(plan(221, { policy, scan: scan(900) }))).not.toContain('UnderPressure');
    expect(plan(221, { policy, scan: scan(900) }).pressure).toBeUndefined();
  });
});

describe('a budget and the trash', () => {
  const trash = { enabled: true, graceSeconds: 259_200 };
  function trashed(hours: number, blocks = 40) {
    const name = cacheFileName(`trashed-${hours}`);
    const file = { ...baseFile({ name, allocatedBytes: blocks * B }), trashedAtMs: NOW_MS - hours * HOUR_MS };
    return { ...file, entry: trashEntryName(file) };
  }
  const withTrash = (held: number, hours: readonly number[], parts: BudgetParts = {}) =>
    plan(held, {
      ...parts,
      policy: { trash, ...parts.policy },
      scan: { trash: { files: trashRows(hours.map((hour) => trashed(hour))), foreignEntries: 0, problems: [] } },
    });

  it('should empty the trash first, oldest first, and only as far as needed', () => {
    const planned = withTrash(221, [1, 3, 2]);
    expect([...(planned.trash?.files ?? [])].map(({ reason }) => reason)).toEqual(['WithinGrace', 'OverBudget', 'OverBudget']);
    expect(going(planned)).toEqual([]);
    expect(going(withTrash(221, [1]))).toEqual(names('a'));
  });

  it('should empty nothing while the gate is closed', () => {
    expect([...(withTrash(1000, [1], { workloads: [] }).trash?.files ?? [])].map(({ verdict }) => verdict)).toEqual(['keep']);
  });

  function trashRows(files: readonly ReturnType<typeof trashed>[]): TrashedRows {
    const rows = new TrashedRows();
    for (const { entry, kind, device, inode, sizeBytes, allocatedBytes, modifiedAtNs } of files)
      rows.push(entry, kind, {
        dev: device,
        ino: inode,
        size: BigInt(sizeBytes),
        blocks: BigInt(allocatedBytes / B),
        mtimeNs: modifiedAtNs,
      });
    return rows;
  }
});

/** Any cache: age in minutes and blocks of each file, and which of them a workload uses. */
const anyCache = record({
  files: array(record({ minutes: integer({ min: 0, max: 2000 }), blocks: integer({ min: 0, max: 50 }), used: boolean() }), {
    maxLength: 30,
  }),
  others: integer({ min: 0, max: 200 }),
  max: integer({ min: 1, max: 800 }),
  low: integer({ min: 1, max: 99 }),
  gate: boolean(),
  limit: constantFrom(undefined, 0, 3),
});

describe('any cache with a budget', () => {
  it('should lose only what may go, the oldest of it, no more than is needed, and come to the low mark or say why not', () => {
    assert(
      property(anyCache, ({ files: drawn, others, max, low, gate, limit }) => {
        const files = drawn.map(({ minutes, blocks }, index) => young(`image-${index}`, minutes / 60, blocks));
        const images = drawn.flatMap(({ used }, index) => (used ? [{ role: 'image', ref: `image-${index}` } as const] : []));
        const held = others + drawn.reduce((sum, { blocks }) => sum + blocks, 0);
        const planned = plan(held, {
          files,
          workloads: gate ? [workload({ images })] : [],
          budget: { maxBytes: max * B, lowPercentOfMax: low },
          policy: { maxRemovalsPerPass: limit },
        });
        const rows = [...planned.files].map((row, index) => ({ ...row, ...drawn[index] }));
        const gone = rows.filter(({ verdict }) => verdict === 'remove');
        const early = gone.filter(({ reason }) => reason === 'OverBudget');
        const left = rows.filter(
          ({ reason, minutes = 0, blocks = 0 }) => reason === 'YoungerThanMinimumAge' && minutes >= 10 && blocks > 0,
        );
        for (const { minutes = 0, used } of gone) expect([minutes >= 10, used === true && gate]).toEqual([true, false]);
        if (!gate || held <= max) expect(early).toEqual([]);
        for (const { minutes = 0 } of early) expect(left.every((other) => (other.minutes ?? 0) <= minutes)).toBe(true);
        const plannedBytes = gone.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
        expect(planned.budget).toMatchObject({ plannedBytes, projectedBytes: held * B - plannedBytes });
        const lowBytes = Math.floor((max * B * low) / 100);
        const youngest = early.toSorted((a, b) => (a.minutes ?? 0) - (b.minutes ?? 0))[0];
        if (youngest !== undefined) expect(held * B - plannedBytes + youngest.allocatedBytes).toBeGreaterThan(lowBytes);
        const isShort = gate && held > max && held * B - plannedBytes > lowBytes;
        if (isShort && left.length > 0) expect(planned.budget?.waitingFiles).toBeGreaterThan(0);
        const says = planned.findings.some(({ type }) => type === 'BudgetExceeded');
        expect(says).toBe(held > max && held * B - plannedBytes > max * B && planned.budget?.waitingFiles === undefined);
      }),
      { numRuns: 300 },
    );
  });
});
