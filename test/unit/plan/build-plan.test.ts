import { describe, expect, it } from 'vitest';
import type { Overlay } from '../../../src/model/overlay.ts';
import { runNow } from '../../../src/lib/slices.ts';
import { buildPlan, planOrAskForLists } from '../../../src/plan/build-plan.ts';
import { timestamp } from '../../../src/lib/timestamp.ts';
import { DAY_MS, DIGEST, IMAGE, NOW_MS, baseFile, snapshot, synced, workload } from '../../helpers/snapshot.ts';

const plan = (parts: Parameters<typeof snapshot>[0] = {}) => buildPlan(snapshot(parts));
const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'vms', name: 'vm-1', uid: 'u-1' };

describe('a plan', () => {
  it('should be plain JSON in the documented shape', () => {
    expect(JSON.parse(JSON.stringify(plan()))).toEqual({
      apiVersion: 'basekeeper.io/v1',
      kind: 'Plan',
      node: 'node-a',
      takenAt: '2026-11-23T14:00:00.000Z',
      preset: 'safe',
      basePath: '/var/lib/nova/instances/_base',
      gate: { open: true, reasons: [] },
      files: [
        {
          name: DIGEST,
          kind: 'original',
          sizeBytes: 2048,
          allocatedBytes: 1024,
          modifiedAt: '2026-11-21T14:00:00.000Z',
          ageSeconds: 172_800,
          minimumAgeSeconds: 86_400,
          verdict: 'remove',
          reason: 'Unused',
          usedBy: [],
          identity: { device: '1', inode: '7', modifiedAtNs: String(BigInt(NOW_MS - 2 * DAY_MS) * 1_000_000n) },
        },
      ],
      findings: [],
      totals: { files: 1, allocatedBytes: 1024, reclaimableFiles: 1, reclaimableBytes: 1024, removedFiles: 0, removedBytes: 0 },
      states: [{ kind: 'original', state: 'unused', files: 1, allocatedBytes: 1024 }],
      overlays: {},
      sources: [{ name: 'file', state: 'synced', lastContact: '2026-11-23T14:00:00.000Z', workloads: 1, gaps: 0 }],
      oldestUnusedSeconds: 172_800,
      cacheUsageBytes: 1024,
    });
  });

  it('should be the same for the same snapshot', () => {
    expect(JSON.stringify(plan())).toBe(JSON.stringify(plan()));
  });

  it('should total what could be reclaimed, whatever holds it', () => {
    const held = plan({ workloads: [] });
    expect(held.totals).toMatchObject({ reclaimableFiles: 1, reclaimableBytes: 1024 });
    expect(held.states).toEqual([{ kind: 'original', state: 'held', files: 1, allocatedBytes: 1024 }]);
  });

  it('should not count files in use as unused when it looks for the oldest', () => {
    const used = baseFile({ modifiedAtMs: NOW_MS - 90 * DAY_MS });
    const unused = baseFile({ name: 'swap_1', kind: 'swap', modifiedAtMs: NOW_MS - 5000 });
    const workloads = [workload({ images: [{ role: 'image', ref: IMAGE }] })];
    expect(plan({ files: [used, unused], workloads }).oldestUnusedSeconds).toBe(5);
    expect(plan({ files: [used], workloads }).oldestUnusedSeconds).toBeUndefined();
  });

  it('should write dates that RFC 3339 cannot hold as the nearest that it can', () => {
    expect(timestamp(Number.MAX_SAFE_INTEGER)).toBe('9999-12-31T23:59:59.999Z');
    expect(timestamp(-Number.MAX_SAFE_INTEGER)).toBe('0000-01-01T00:00:00.000Z');
  });
});

describe('the findings', () => {
  const overlay = (over: Partial<Overlay>): Overlay => ({ instance: 'vm-1', path: 'vm-1/disk', state: 'ok', chain: [], ...over });
  const link = { reference: `/i/_base/${DIGEST}`, baseName: DIGEST, path: `_base/${DIGEST}`, exists: true, protects: [DIGEST] };

  it("should name the VM's own object when its disk has lost its backing file", () => {
    const overlays = [overlay({ state: 'missing-backing', chain: [{ ...link, exists: false }], message: 'no such file' })];
    expect(plan({ files: [], workloads: [workload({ object })], overlays: { overlays } }).findings).toEqual([
      { type: 'BackingFileMissing', workload: 'vm-1', object, file: DIGEST, message: 'vm-1/disk: no such file' },
    ]);
  });

  it('should report a backing file that no image explains, but not one that is explained', () => {
    const overlays = { overlays: [overlay({ chain: [link] })] };
    expect(plan({ overlays }).findings.map(({ type, file }) => [type, file])).toEqual([['BackingFileUnknown', DIGEST]]);
    expect(plan({ overlays, workloads: [workload({ images: [{ role: 'image', ref: IMAGE }] })] }).findings).toEqual([]);
  });

  it('should report unreadable disks and such as stand on something elsewhere', () => {
    const overlays = [
      overlay({ state: 'unreadable', message: 'EIO' }),
      overlay({ path: 'vm-1/disk.eph0', state: 'unknown-backing', chain: [{ ...link, baseName: undefined, exists: false }] }),
    ];
    expect(plan({ overlays: { overlays } }).findings.map(({ type }) => type)).toEqual(['OverlayUnreadable', 'BackingFileOutside']);
  });

  it('should report what was not seen once, as the disk that it is or as such, and what a guest may have written as that', () => {
    const broken = overlay({ state: 'unreadable', message: 'EIO' });
    const unseen = [
      { path: broken.path, cause: 'NotUnderstood', message: 'EIO' },
      { path: 'tenant', cause: 'NotEntered', message: 'EACCES' },
    ] as const;
    const { findings, unseen: reported } = plan({ overlays: { overlays: [broken], unseen } });
    expect(findings.map(({ type, message }) => `${type} ${message}`)).toEqual([
      'OverlayUnreadable vm-1/disk: EIO',
      'Unseen tenant: EACCES',
    ]);
    expect(reported).toEqual(unseen);
    const guest = plan({ overlays: { overlays: [{ ...broken, declaredRawBy: 'disk.info' }] } });
    const said = { type: 'GuestBytes', message: expect.stringContaining('disk.info says raw') as string };
    expect(guest).toMatchObject({ gate: { open: true }, findings: [said] });
  });

  it.each<[string, Partial<Overlay>, string]>([
    ['a place says that it is an image', { isUnstated: false }, 'BackingFileMissing'],
    ['nobody says that it is an image', { isUnstated: true }, 'GuestBytes'],
    ['a place says that it is raw', { declaredRawBy: 'disk.info' }, 'GuestBytes'],
  ])('should call a disk lost whose header names a missing file only where no guest can have written that: %s', (_, over, type) => {
    const lost = overlay({ state: 'missing-backing', chain: [{ ...link, exists: false }], ...over });
    expect(plan({ files: [], overlays: { overlays: [lost] } }).findings.map((finding) => finding.type)).toEqual([type]);
  });

  it('should report swap and ephemeral base files that are used but do not exist', () => {
    const workloads = [workload({ swapMb: [512, 1024], ephemeral: [{ sizeGb: 1 }] })];
    const files = [baseFile({ name: 'swap_512', kind: 'swap' })];
    expect(plan({ files, workloads }).findings.map(({ type, file, workload: who }) => [type, file, who])).toEqual([
      ['BaseFileMissing', 'swap_1024', 'vm-1'],
      ['BaseFileMissing', 'ephemeral_1_0706d66', 'vm-1'],
    ]);
  });

  it('should report gaps and scan problems where they are', () => {
    const { findings } = plan({
      inventory: { gaps: [{ kind: 'UnmappedWorkload', source: 'pods', object, message: 'annotate it' }], notes: ['allow it'] },
      scan: { problems: [{ path: '_base/x', code: 'EIO', message: 'input/output error' }] },
    });
    expect(findings).toEqual([
      { type: 'UnmappedWorkload', workload: 'vms/vm-1', object, message: 'annotate it' },
      { type: 'SourceLimited', message: 'allow it' },
      { type: 'ScanProblem', file: '_base/x', message: '_base/x: EIO: input/output error' },
    ]);
  });
});

describe('a plan before the sources are listed', () => {
  const planned = (parts: Parameters<typeof snapshot>[0]) => runNow(planOrAskForLists(snapshot(parts)));
  const inventory = { sources: [synced({ consistentListAtMs: undefined })] };
  const used = [workload({ images: [{ role: 'image', ref: IMAGE }] })];

  it.each([
    ['the gate is open', {}],
    ['nothing waits for it', { inventory, workloads: used }],
    ['something else holds the files as well', { inventory, scan: { problems: [{ path: 'x', code: 'EIO', message: 'broken' }] } }],
    ['removals are not wanted', { inventory, policy: { removeUnusedBaseImages: false } }],
  ])('should be the plan where %s', (_, parts) => {
    expect(JSON.stringify(planned(parts))).toBe(JSON.stringify({ plan: plan(parts) }));
  });

  it.each([
    ['waits for a list alone', { inventory }],
    ['waits for workloads that a list may bring', { inventory, workloads: [] }],
    ['is the last of many', { inventory, workloads: used, files: [baseFile(), baseFile({ name: 'swap_1', kind: 'swap' as const })] }],
  ])('should not be made where a file %s', (_, parts) => {
    expect(planned(parts)).toEqual({ needs: 'fresh lists' });
  });
});
