import { describe, expect, it } from 'vitest';
import { reasonsToStay } from '../../../../src/plan/gate/current-use.ts';
import { DIGEST, IMAGE, snapshot, workload, type SnapshotParts } from '../../../helpers/snapshot.ts';

/** As `kind: message`. */
const reasons = (name: string, parts: SnapshotParts = {}): string[] | undefined =>
  reasonsToStay(snapshot(parts), [name])
    .get(name)
    ?.map(({ kind, message }) => `${kind}: ${message}`);
const pins = (over: object): SnapshotParts => ({ policy: { pins: { imageRefs: [], fileNames: [], ...over } } });

describe('who uses a file by now', () => {
  it('should be nobody while nothing has changed', () => {
    expect(reasons(DIGEST)).toEqual([]);
  });

  it.each([DIGEST, `${DIGEST}_10737418240`, `${DIGEST}_sm`])('should be a workload that names the image of %s', (name) => {
    const workloads = [workload({ name: 'late', images: [{ role: 'kernel', ref: IMAGE }] })];
    expect(reasons(name, { workloads })).toEqual([`use: now used by late (kernel ${IMAGE})`]);
  });

  it.each([
    ['swap_512', workload({ name: 'late', swapMb: [512] })],
    ['ephemeral_20_40d1d2c', workload({ name: 'late', ephemeral: [{ sizeGb: 20, filesystem: 'ext4' }] })],
    [DIGEST, workload({ name: 'late', paths: [`/var/lib/nova/instances/_base/${DIGEST}`] })],
  ])('should be a workload that uses %s itself', (name, late) => {
    expect(reasons(name, { workloads: [late] })).toEqual([expect.stringContaining('use: now used by late')]);
  });

  it('should be anyone who pinned it meanwhile', () => {
    expect(reasons(DIGEST, pins({ imageRefs: [IMAGE] }))).toHaveLength(1);
    expect(reasons(DIGEST, pins({ fileNames: ['0d5e*'] }))).toHaveLength(1);
    expect(reasons(DIGEST, { inventory: { pins: [{ origin: 'the node', imageRefs: [IMAGE], fileNames: [] }] } })).toHaveLength(1);
  });

  it('should be an overlay that stands on it by now', () => {
    const chain = [{ reference: `/elsewhere/${DIGEST}`, baseName: undefined, path: undefined, exists: false, protects: [DIGEST] }];
    const overlays = [{ instance: 'late', path: 'late/disk', state: 'ok' as const, chain }];
    expect(reasons(DIGEST, { overlays: { overlays } })).toEqual(['use: now used by late (overlay late/disk)']);
  });

  it('should be answered for each of the files asked for', () => {
    const workloads = [workload({ name: 'late', swapMb: [512] })];
    const answers = reasonsToStay(snapshot({ workloads }), ['swap_512', 'swap_1024']);
    expect([...answers].map(([name, objections]) => [name, objections.length])).toEqual([
      ['swap_512', 1],
      ['swap_1024', 0],
    ]);
  });

  it('should be unknown when the evidence has become incomplete', () => {
    const gaps = [{ kind: 'UnmappedWorkload', source: 'pods', message: 'pod a/b' } as const];
    expect(reasons(DIGEST, { inventory: { gaps } })).toEqual(['gate: WorkloadIncomplete: pod a/b']);
  });
});
