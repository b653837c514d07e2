import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../../src/model/policy.ts';
import type { Plan } from '../../../../src/model/plan.ts';
import type { TrashedFile } from '../../../../src/model/scan.ts';
import { buildPlan } from '../../../../src/plan/build-plan.ts';
import { cacheFileName } from '../../../../src/model/names.ts';
import { baseFile, DAY_MS, DIGEST, HOUR_MS, IMAGE, NOW_MS, snapshot, workload, type SnapshotParts } from '../../../helpers/snapshot.ts';

const GRACE_SECONDS = 86_400;
/** Files are counted in blocks. */
const B = 512;

/** A file that was moved to the trash so long ago. */
function trashed(hours: number, over: Partial<TrashedFile> = {}): TrashedFile {
  const trashedAtMs = NOW_MS - hours * HOUR_MS;
  const file = { ...baseFile({ allocatedBytes: 100 * B, inode: BigInt(1000 + hours) }), trashedAtMs, ...over };
  return { ...file, entry: over.entry ?? `${file.name}.${file.trashedAtMs}` };
}

function plan(files: readonly TrashedFile[], parts: SnapshotParts = {}): Plan {
  const trash: Policy['trash'] = { enabled: true, graceSeconds: GRACE_SECONDS };
  const scan = { trash: { files, foreignEntries: 0, problems: [] }, ...parts.scan };
  return buildPlan(snapshot({ files: [], ...parts, scan, policy: { trash, ...parts.policy } }));
}

const decisions = ({ trash }: Plan): string[] => [...(trash?.files ?? [])].map(({ verdict, reason }) => `${verdict} ${reason}`);
const usesImage = workload({ name: 'back', images: [{ role: 'image', ref: IMAGE }] });
const overlayOn = (reference: string, baseName: string | undefined) => ({
  overlays: [
    {
      instance: 'vm-1',
      path: 'vm-1/disk',
      state: 'missing-backing' as const,
      chain: [
        { reference, baseName, path: undefined, exists: false, protects: [baseName ?? reference.slice(reference.lastIndexOf('/') + 1)] },
      ],
    },
  ],
});

describe('the trash in a plan', () => {
  it('should keep a file until its grace is over, and then remove it for good', () => {
    const planned = plan([trashed(23), trashed(24)]);
    expect(decisions(planned)).toEqual(['keep WithinGrace', 'empty GraceOver']);
    expect(planned.trash?.totals).toMatchObject({
      files: 2,
      allocatedBytes: 200 * B,
      dueFiles: 1,
      dueBytes: 100 * B,
      trashedFiles: 0,
      emptiedFiles: 0,
    });
    expect(planned.trash?.files.at(0)).toMatchObject({
      name: DIGEST,
      trashedAt: '2026-11-22T15:00:00.000Z',
      graceEndsAt: '2026-11-23T15:00:00.000Z',
    });
  });

  it.each([
    ['a workload', { workloads: [usesImage] }],
    ['an overlay', { overlays: overlayOn(`/var/lib/nova/instances/_base/${DIGEST}`, DIGEST) }],
    ['a pin', { policy: { pins: { imageRefs: [IMAGE], fileNames: [] } } }],
  ])('should put a file back that %s names again, even with a closed gate', (_, parts: SnapshotParts) => {
    expect(decisions(plan([trashed(1)], parts))).toEqual(['restore NeededAgain']);
    expect(decisions(plan([trashed(50)], { ...parts, inventory: { sources: [], workloads: parts.workloads ?? [] } }))).toEqual([
      'restore NeededAgain',
    ]);
  });

  it('should put back the newest of several files of one name, and only that', () => {
    expect(decisions(plan([trashed(20), trashed(10), trashed(15)], { workloads: [usesImage] }))).toEqual([
      'keep WithinGrace',
      'restore NeededAgain',
      'keep WithinGrace',
    ]);
  });

  it('should not put a file back where the base directory has one of its name, and remove it when its grace is over', () => {
    const parts = { files: [baseFile()], workloads: [usesImage] };
    expect(decisions(plan([trashed(1), trashed(30)], parts))).toEqual(['keep WithinGrace', 'empty GraceOver']);
  });

  it('should finish what a crash left between the two steps of putting a file back', () => {
    expect(decisions(plan([trashed(1, { inode: 7n })], { files: [baseFile({ inode: 7n })] }))).toEqual(['restore UnfinishedMove']);
  });

  it('should finish nothing while a disk names the file in the trash, or may do so unseen', () => {
    const file = trashed(1, { inode: 7n });
    const files = [baseFile({ inode: 7n })];
    const named = overlayOn(`/var/lib/nova/instances/_base/.basekeeper-trash/${file.entry}`, undefined);
    expect(decisions(plan([file], { files, overlays: named }))).toEqual(['keep NamedInTrash']);
    expect(decisions(plan([file], { files, inventory: { sources: [], workloads: [] } }))).toEqual(['keep WithinGrace']);
  });

  it('should keep a file that a disk names where it lies', () => {
    const file = trashed(50);
    expect(decisions(plan([file], { overlays: overlayOn(`/x/_base/.basekeeper-trash/${file.entry}`, undefined) }))).toEqual([
      'keep NamedInTrash',
    ]);
  });

  it('should remove nothing from it while the gate is closed or removals are off', () => {
    const closed = plan([trashed(50)], { inventory: { gaps: [{ kind: 'UnreadableSource', source: 'file', message: 'EIO' }] } });
    expect(decisions(closed)).toEqual(['keep GateClosed']);
    expect(closed.trash?.totals.dueFiles).toBe(1);
    expect(decisions(plan([trashed(50)], { policy: { removeUnusedBaseImages: false } }))).toEqual(['keep RemovalDisabled']);
  });

  it('should keep a file from the future: the clock that says so may be wrong', () => {
    expect(decisions(plan([trashed(-1000)]))).toEqual(['keep WithinGrace']);
  });

  it('should remove no more than maxRemovalsPerPass from it, oldest first', () => {
    expect(decisions(plan([trashed(50), trashed(70), trashed(60)], { policy: { maxRemovalsPerPass: 1 } }))).toEqual([
      'keep RemovalLimitReached',
      'empty GraceOver',
      'keep RemovalLimitReached',
    ]);
  });

  it('should lose a quarter of its files at most in a pass without a limit from the configuration', () => {
    const entries = Array.from({ length: 60 }, (_, index) => trashed(50 + index));
    const emptied = decisions(plan(entries, { policy: { maxRemovalsPerPass: undefined } })).filter(
      (decision) => decision === 'empty GraceOver',
    );
    expect(emptied).toHaveLength(15);
  });

  it('should still be emptied after it was switched off, and say nothing when it is off and empty', () => {
    const off = { policy: { trash: { enabled: false, graceSeconds: GRACE_SECONDS } } };
    expect(decisions(plan([trashed(23), trashed(25)], off))).toEqual(['keep WithinGrace', 'empty GraceOver']);
    expect(plan([], off).trash).toBeUndefined();
    expect(plan([]).trash?.totals.files).toBe(0);
  });

  it('should want a consistent list where only the trash has something to remove', () => {
    const unlisted = {
      inventory: {
        sources: [{ name: 'api', state: 'synced', lastContactMs: NOW_MS, freshLimitMs: DAY_MS, consistentListAtMs: undefined }],
      },
    } as const;
    expect(plan([trashed(50)], unlisted).gate.reasons.map(({ reason }) => reason)).toEqual(['ConsistentListMissing']);
    expect(plan([trashed(1)], unlisted).gate.open).toBe(true);
  });
});

describe('the trash under pressure', () => {
  const PRESSURE = { highThresholdPercent: 85, lowThresholdPercent: 80 };
  const pressed = (files: readonly TrashedFile[], availableBlocks: number, parts: SnapshotParts = {}) =>
    plan(files, {
      ...parts,
      scan: { filesystem: { sizeBytes: 1000 * B, availableBytes: availableBlocks * B }, trash: { files, foreignEntries: 0, problems: [] } },
      policy: { pressure: PRESSURE, trash: { enabled: true, graceSeconds: GRACE_SECONDS }, ...parts.policy },
    });

  it('should be emptied first, oldest first, and only as far as needed', () => {
    const planned = pressed([trashed(1), trashed(3), trashed(2)], 50, {
      files: [baseFile({ name: cacheFileName('young'), modifiedAtMs: NOW_MS - HOUR_MS })],
    });
    expect(decisions(planned)).toEqual(['keep WithinGrace', 'empty UnderPressure', 'empty UnderPressure']);
    expect(planned.pressure).toMatchObject({ bytesToFree: 150 * B, plannedBytes: 200 * B });
    expect(planned.files.at(0)).toMatchObject({ verdict: 'keep', reason: 'YoungerThanMinimumAge' });
  });

  it('should not count removals as freed that go to the trash, unless the trash does not suffice', () => {
    const files = [baseFile({ allocatedBytes: 60 * B })];
    expect(
      pressed([trashed(1, { name: cacheFileName('other') }), trashed(2, { name: cacheFileName('more') })], 50, { files }).pressure,
    ).toMatchObject({ plannedBytes: 200 * B });
    expect(pressed([trashed(1, { name: cacheFileName('other') })], 50, { files }).pressure).toMatchObject({ plannedBytes: 160 * B });
  });

  it('should keep what is needed again, and everything while the gate is closed', () => {
    expect(decisions(pressed([trashed(1)], 0, { workloads: [usesImage] }))).toEqual(['restore NeededAgain']);
    const gaps = [{ kind: 'UnreadableSource', source: 'file', message: 'EIO' } as const];
    expect(decisions(pressed([trashed(1), trashed(50)], 0, { inventory: { gaps } }))).toEqual(['keep WithinGrace', 'keep GateClosed']);
  });
});
