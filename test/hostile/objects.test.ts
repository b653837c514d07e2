import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { collectReferences } from '../../src/references/collect.ts';
import { pinOfAnnotation, pinOfConfigMap } from '../../src/sources/pins/pins.ts';
import { mapPod } from '../../src/sources/pods/map-pod.ts';
import { mapVmi } from '../../src/sources/vmis/map-vmi.ts';
import { POD_RULES } from '../helpers/kube-objects.ts';

const INSTANCES = '/var/lib/nova/instances';
const mounting = (path: string) => ({
  volumes: [{ name: 'v', hostPath: { path } }],
  containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
});
/** Nobody else's annotations are believed. */
const ROOT = mounting('/');
const RULES = { selector: undefined, ...POD_RULES, instancesPath: INSTANCES, resolveLaunchers: true };
const KIB_256 = 256 * 1024;
/** JSON as an API server could send it: parsed, so that `__proto__` is a key like any other. */
const parsed = (text: string): unknown => JSON.parse(text);

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

describe('hostile pods', () => {
  it('should be mapped or called incomplete, whatever they hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.jsonValue({ maxDepth: 3 }), (metadata, spec) => {
        for (const object of [
          metadata,
          { metadata, spec },
          { metadata: { annotations: metadata }, spec: { volumes: spec, containers: metadata }, status: spec },
          { metadata: { annotations: metadata, labels: spec }, spec: { volumes: metadata } },
        ]) {
          const pod = mapPod(object, RULES);
          if (pod?.workload !== undefined) collectReferences([pod.workload], '_base');
          collectReferences([mapVmi(object, INSTANCES).workload], '_base');
          pinOfConfigMap({ data: metadata });
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['one image id', 'x'.repeat(KIB_256)],
    ['a quarter of a million empty entries', ','.repeat(KIB_256)],
    ['a hundred thousand image ids', 'ab,'.repeat(KIB_256 / 3)],
    ['a mountain of colons', ':'.repeat(KIB_256)],
    ['digits', '9'.repeat(KIB_256)],
    ['white space', ' '.repeat(KIB_256)],
  ])('should be read, or be a gap, with annotations of 256 KiB: %s', (_what, value) => {
    const keys = ['image-ref', 'kernel-id', 'ramdisk-id', 'instance', 'swap-mb', 'ephemeral', 'unknown'];
    for (const key of keys) {
      const metadata = { name: 'vm', namespace: 'default', uid: 'u', annotations: { [`basekeeper.io/${key}`]: value } };
      const pod = mapPod({ metadata, spec: ROOT }, RULES);
      // What was not taken as it stands is a gap: nothing is overlooked in silence.
      const taken = (pod?.workload?.images.length ?? 0) + (pod?.workload?.instanceNames.length ?? 0);
      if (value.replaceAll(',', '') !== '') expect(pod?.gaps.length === 0 ? taken : 1).toBeGreaterThan(0);
      for (const { message } of pod?.gaps ?? []) expect(message.length).toBeLessThan(1000);
    }
    pinOfAnnotation(value);
  });

  it('should keep prototype keys apart', () => {
    const pod = parsed(`{"__proto__": {"polluted": 1}, "metadata": {"name": "vm", "namespace": "default", "uid": "u",
      "labels": {"__proto__": "x", "constructor": "y"},
      "annotations": {"__proto__": {"basekeeper.io/image-ref": "stolen"}, "constructor": "x", "basekeeper.io/image-ref": "__proto__",
        "basekeeper.io/instance": "__proto__"}}, "spec": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}],
        "__proto__": {"volumes": [{"hostPath": {"path": "${INSTANCES}/x"}}]}}}`);
    const workload = mapPod(pod, RULES)?.workload;
    expect(workload?.images).toEqual([{ role: 'image', ref: '__proto__' }]);
    expect(workload?.instanceNames).toContain('__proto__');
    expect(workload?.paths).toEqual([]);
    const references = collectReferences(workload === undefined ? [] : [workload], '_base');
    expect([references.instanceNames.has('__proto__'), references.byName.size]).toEqual([true, 0]);
  });

  it('should not believe sizes that nobody has', () => {
    for (const size of ['-1', '1e9', '99999999999', '0x10', 'NaN', 'Infinity', '1.5', '1 2', '1\n2', '٣']) {
      const metadata = {
        name: 'vm',
        namespace: 'default',
        uid: 'u',
        annotations: { 'basekeeper.io/swap-mb': size, 'basekeeper.io/ephemeral': `${size}:ext4` },
      };
      const pod = mapPod({ metadata, spec: ROOT }, RULES);
      expect(pod?.workload).toMatchObject({ swapMb: [], ephemeral: [] });
      expect(pod?.gaps).toHaveLength(2);
    }
  });

  it('should be read with tens of thousands of volumes', () => {
    const volumes = Array.from({ length: 50_000 }, (_, index) => ({ hostPath: { path: `${INSTANCES}/_base/file${index}` } }));
    const annotations = { 'basekeeper.io/image-ref': 'a' };
    const pod = mapPod({ metadata: { name: 'vm', namespace: 'default', uid: 'u', annotations }, spec: { volumes } }, RULES);
    expect(pod?.workload?.paths).toHaveLength(50_000);
    expect(collectReferences(pod?.workload === undefined ? [] : [pod.workload], '_base').byName.size).toBe(50_000);
  });

  it('should be taken for users of everything where their paths cannot be understood', () => {
    for (const path of ['..', `${INSTANCES}/..`, '//', `/var/lib/nova/./instances/`, `${INSTANCES}\0x`, 'relative']) {
      const pod = mapPod({ metadata: { name: 'x', namespace: 'default', uid: 'u' }, spec: mounting(path) }, RULES);
      expect([path, pod?.gaps[0]?.kind]).toEqual([path, 'UnmappedWorkload']);
    }
  });
});

describe('hostile VMIs', () => {
  it('should be read with tens of thousands of volumes', () => {
    const volumes = Array.from({ length: 50_000 }, (_, index) => ({
      containerDisk: { image: `registry/${index}` },
      hostDisk: { path: `${INSTANCES}/vm/../_base/${index}` },
    }));
    const { workload } = mapVmi({ metadata: { name: 'vm', namespace: 'default', uid: 'u' }, spec: { volumes } }, INSTANCES);
    expect([workload.images.length, workload.paths.length]).toEqual([50_000, 50_000]);
  });

  it.each([[{ length: 5 }], ['disk'], [7], [{ 0: { containerDisk: { image: 'x' } } }]])(
    'should be a gap where spec.volumes is %j',
    (volumes) => {
      const { gaps } = mapVmi({ metadata: { name: 'vm', namespace: 'default', uid: 'u' }, spec: { volumes } }, INSTANCES);
      expect(gaps.map(({ kind }) => kind)).toEqual(['IncompleteWorkload']);
    },
  );
});
