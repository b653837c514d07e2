import { describe, expect, it } from 'vitest';
import type { BaseFile } from '../../../src/model/scan.ts';
import type { BaseImage, Overlay } from '../../../src/model/overlay.ts';
import type { PlannedFile } from '../../../src/model/plan.ts';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { RULES } from '../../../src/plan/rules.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { DAY_MS, DIGEST, HOUR_MS, IMAGE, NOW_MS, baseFile, snapshot, workload, type SnapshotParts } from '../../helpers/snapshot.ts';

function planOne(file: BaseFile, parts: SnapshotParts = {}): PlannedFile {
  const planned = buildPlan(snapshot({ ...parts, files: [file] })).files.at(0);
  if (planned === undefined) throw new Error('the plan has no row');
  return planned;
}

function overlayOn(reference: string, baseName: string | undefined = reference): Overlay {
  const link = {
    reference: `/var/lib/nova/instances/_base/${reference}`,
    baseName,
    path: `_base/${reference}`,
    exists: true,
    protects: [reference],
  };
  return { instance: 'unknown-vm', path: 'unknown-vm/disk', state: 'ok', chain: [link] };
}

const used = { workloads: [workload({ images: [{ role: 'image', ref: IMAGE }] })] };

describe('the verdict', () => {
  it('should follow the documented order of rules', () => {
    expect(RULES.map(({ reason }) => reason)).toEqual([
      'ForeignFile',
      'ReferencedByWorkload',
      'BackingFileOfOverlay',
      'BackingFileOfBaseFile',
      'PinnedByConfig',
      'RemovalDisabled',
      'YoungerThanMinimumAge',
      'GateClosed',
      'Unused',
    ]);
  });

  it('should keep what is not ours, however old', () => {
    expect(planOne(baseFile({ name: 'ubuntu.qcow2', kind: 'foreign', modifiedAtMs: 0 }))).toMatchObject({
      verdict: 'keep',
      reason: 'ForeignFile',
    });
  });

  it.each([
    [DIGEST, 'original'],
    [`${DIGEST}_sm`, 'legacy'],
    [`${DIGEST}_5`, 'resized'],
    [`${DIGEST}_10737418240`, 'resized'],
  ] as const)('should touch %s while a workload names its image', (name, kind) => {
    const planned = planOne(baseFile({ name, kind }), used);
    expect(planned).toMatchObject({ verdict: 'touch', reason: 'ReferencedByWorkload' });
    expect(planned.usedBy).toEqual([{ by: 'vm-1', through: 'image', value: IMAGE }]);
  });

  it.each([
    ['swap_512', 'swap'],
    ['ephemeral_20_0706d66', 'ephemeral'],
  ] as const)('should touch %s while a workload has such a disk', (name, kind) => {
    const workloads = [workload({ swapMb: [512], ephemeral: [{ sizeGb: 20 }] })];
    expect(planOne(baseFile({ name, kind }), { workloads })).toMatchObject({ verdict: 'touch', reason: 'ReferencedByWorkload' });
  });

  it("should touch a base file while an unknown instance's overlay uses it", () => {
    const planned = planOne(baseFile(), { overlays: { overlays: [overlayOn(DIGEST)] } });
    expect(planned).toMatchObject({ verdict: 'touch', reason: 'BackingFileOfOverlay' });
    expect(planned.usedBy).toEqual([{ by: 'unknown-vm', through: 'overlay', value: 'unknown-vm/disk' }]);
  });

  it('should keep a backing file without touching it where Nova does so', () => {
    const parts = { policy: { touchBackingFiles: false }, overlays: { overlays: [overlayOn(DIGEST)] } };
    expect(planOne(baseFile(), parts)).toMatchObject({ verdict: 'keep', reason: 'BackingFileOfOverlay' });
  });

  it('should protect by the last path component when a header names the tree by another path', () => {
    const overlay = {
      ...overlayOn(DIGEST),
      state: 'unknown-backing',
      chain: [{ reference: `/mnt/elsewhere/_base/${DIGEST}`, baseName: undefined, path: undefined, exists: false, protects: [DIGEST] }],
    } as const;
    expect(planOne(baseFile(), { overlays: { overlays: [overlay] } })).toMatchObject({ reason: 'BackingFileOfOverlay' });
  });

  it('should protect every link of a chain, not just the first', () => {
    const chain = [...overlayOn('middle').chain, ...overlayOn(DIGEST).chain];
    expect(planOne(baseFile(), { overlays: { overlays: [{ ...overlayOn('middle'), chain }] } })).toMatchObject({
      reason: 'BackingFileOfOverlay',
    });
  });

  describe('of a file that another base file stands on', () => {
    const TOP = 'a'.repeat(40);
    const on = (over: Partial<BaseImage> = {}): NonNullable<SnapshotParts['overlays']> => ({
      baseImages: [{ name: TOP, inTrash: false, state: 'ok', chain: overlayOn(DIGEST).chain, ...over }],
    });
    const planBoth = (top: Partial<BaseFile>, parts: SnapshotParts = {}) => {
      const files = [baseFile(), baseFile({ name: TOP, ...top })];
      const plan = buildPlan(snapshot({ overlays: on(), ...parts, files }));
      return Object.fromEntries([...plan.files].map(({ name, verdict, reason }) => [name, `${verdict} ${reason}`]));
    };

    it.each<[string, Partial<BaseFile>, SnapshotParts]>([
      ['a workload names', {}, { workloads: [workload({ paths: [`/x/_base/${TOP}`] })] }],
      ['a disk stands on', {}, { overlays: { ...on(), overlays: [overlayOn(TOP)] } }],
      ['is pinned', {}, { policy: { pins: { imageRefs: [], fileNames: [`${TOP}*`] } } }],
      ['is young', { modifiedAtMs: NOW_MS - 1000 }, {}],
      ['is not ours', { kind: 'foreign' }, {}],
    ])('should be to touch it while that one %s', (_title, top, parts) => {
      expect(planBoth(top, parts)[DIGEST]).toBe('touch BackingFileOfBaseFile');
    });

    it('should be to keep it, and let its age count on, while that one is about to go', () => {
      expect(planBoth({})).toEqual({ [DIGEST]: 'keep BackingFileOfBaseFile', [TOP]: 'remove Unused' });
      expect(planBoth({}, { workloads: [] })).toEqual({ [DIGEST]: 'keep BackingFileOfBaseFile', [TOP]: 'keep GateClosed' });
    });

    it('should be to touch it while that one lies in the trash and may come back', () => {
      const planned = planOne(baseFile(), { overlays: on({ name: `${TOP}.1700000000000`, inTrash: true }) });
      expect(planned).toMatchObject({ verdict: 'touch', reason: 'BackingFileOfBaseFile' });
      expect(planned.usedBy).toEqual([{ by: `${TOP}.1700000000000`, through: 'trashedFile', value: `${TOP}.1700000000000` }]);
    });

    it('should not be that it stands on itself', () => {
      expect(planOne(baseFile(), { overlays: on({ name: DIGEST }) })).toMatchObject({ verdict: 'remove', reason: 'Unused' });
    });
  });

  it('should keep what the configuration pins by image id or by file name', () => {
    expect(planOne(baseFile(), { policy: { pins: { imageRefs: [IMAGE], fileNames: [] } } })).toMatchObject({
      verdict: 'keep',
      reason: 'PinnedByConfig',
    });
    const resized = baseFile({ name: `${DIGEST}_5`, kind: 'resized' });
    expect(planOne(resized, { policy: { pins: { imageRefs: [IMAGE], fileNames: [] } } }).reason).toBe('PinnedByConfig');
    const swap = baseFile({ name: 'swap_512', kind: 'swap' });
    expect(planOne(swap, { policy: { pins: { imageRefs: [], fileNames: ['swap_*'] } } }).reason).toBe('PinnedByConfig');
    expect(planOne(swap, { policy: { pins: { imageRefs: [IMAGE], fileNames: ['ephemeral_*'] } } }).reason).toBe('Unused');
  });

  it('should say who pins a file: the configuration, a ConfigMap or the node', () => {
    const inventory = {
      pins: [
        { origin: 'ConfigMap ops/golden', imageRefs: [IMAGE], fileNames: [] },
        { origin: 'annotation basekeeper.io/pin', imageRefs: [], fileNames: ['0d5e*'] },
      ],
    };
    expect(planOne(baseFile(), { inventory }).usedBy).toEqual([
      { by: 'ConfigMap ops/golden', through: 'pin', value: IMAGE },
      { by: 'annotation basekeeper.io/pin', through: 'pin', value: '0d5e*' },
    ]);
    expect(planOne(baseFile(), { inventory }).reason).toBe('PinnedByConfig');
  });

  it('should remove nothing when removal is disabled, however old', () => {
    expect(planOne(baseFile(), { policy: { removeUnusedBaseImages: false } })).toMatchObject({
      verdict: 'keep',
      reason: 'RemovalDisabled',
    });
  });

  it.each([
    ['original', DIGEST, DAY_MS],
    ['swap', 'swap_1', DAY_MS],
    ['ephemeral', 'ephemeral_1_0706d66', DAY_MS],
    ['resized', `${DIGEST}_5`, HOUR_MS],
    ['legacy', `${DIGEST}_sm`, HOUR_MS],
  ] as const)('should remove an unused %s file from the very moment that it is old enough', (kind, name, limitMs) => {
    expect(planOne(baseFile({ kind, name, modifiedAtMs: NOW_MS - limitMs + 1 })).reason).toBe('YoungerThanMinimumAge');
    expect(planOne(baseFile({ kind, name, modifiedAtMs: NOW_MS - limitMs }))).toMatchObject({ verdict: 'remove', reason: 'Unused' });
  });

  it('should never go below the floor under the minimum ages', () => {
    const policy = { originalMinimumAgeSeconds: 0, resizedMinimumAgeSeconds: 0 };
    expect(planOne(baseFile({ modifiedAtMs: NOW_MS - 599_999 }), { policy })).toMatchObject({
      reason: 'YoungerThanMinimumAge',
      minimumAgeSeconds: 600,
    });
    expect(planOne(baseFile({ modifiedAtMs: NOW_MS - 600_000 }), { policy }).reason).toBe('Unused');
  });

  it('should count a file from the future as young', () => {
    expect(planOne(baseFile({ modifiedAtMs: NOW_MS + DAY_MS }))).toMatchObject({ reason: 'YoungerThanMinimumAge', ageSeconds: -86_400 });
  });

  it('should count a download in progress of the same image as fresh use', () => {
    const scan = { partialDownloads: new Map([[DIGEST, NOW_MS - 1000]]) };
    expect(planOne(baseFile(), { scan }).reason).toBe('YoungerThanMinimumAge');
  });

  it('should keep what is unused and old enough while the gate is closed', () => {
    expect(planOne(baseFile(), { workloads: [] })).toMatchObject({ verdict: 'keep', reason: 'GateClosed' });
  });

  it('should leave all but the oldest removals to later passes when there is a limit', () => {
    const files = [5, 30, 10, 20].map((days) => baseFile({ name: cacheFileName(String(days)), modifiedAtMs: NOW_MS - days * DAY_MS }));
    const plan = buildPlan(snapshot({ files, policy: { maxRemovalsPerPass: 2 } }));
    expect([...plan.files].map(({ reason }) => reason)).toEqual(['RemovalLimitReached', 'Unused', 'RemovalLimitReached', 'Unused']);
    expect(plan.totals.reclaimableFiles).toBe(4);
  });
});
