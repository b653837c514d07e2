import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { mapPod, type PodRules } from '../../../../src/sources/pods/map-pod.ts';
import { POD_RULES, launcherPod, podObject, type PodParts } from '../../../helpers/kube-objects.ts';

const RULES: PodRules = { ...POD_RULES, instancesPath: '/var/lib/nova/instances', ownNamespace: 'basekeeper', resolveLaunchers: true };

function map(parts: PodParts, rules: Partial<PodRules> = {}) {
  return mapPod(podObject(parts), { ...RULES, ...rules });
}

const OURS = { 'basekeeper.io/image-ref': 'image-1' };

describe('a pod with our annotations', () => {
  it('should be a workload', () => {
    expect(map({ name: 'vm', uid: 'u-1', annotations: { ...OURS, 'basekeeper.io/instance': 'instance-01' } })).toEqual({
      workload: {
        source: 'pods',
        name: 'default/vm',
        object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'vm', uid: 'u-1' },
        instanceNames: ['instance-01', 'vm', 'u-1'],
        resizing: true,
        images: [{ role: 'image', ref: 'image-1' }],
        swapMb: [],
        ephemeral: [],
        paths: [],
        disks: [],
      },
      gaps: [],
      launcher: undefined,
    });
  });

  it.each(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown', ''])('should protect in phase %j', (phase) => {
    expect(map({ annotations: OURS, phase })?.workload?.images).toHaveLength(1);
  });

  it('should protect while it is being deleted', () => {
    expect(map({ annotations: OURS, deletionTimestamp: '2026-01-01T00:00:00Z' })?.workload?.images).toHaveLength(1);
  });

  it('should be a gap beside the workload where one of them is malformed', () => {
    const record = map({ annotations: { ...OURS, 'basekeeper.io/swap-mb': 'x' } });
    expect(record?.workload?.images).toHaveLength(1);
    expect(record?.gaps).toEqual([
      expect.objectContaining({
        kind: 'IncompleteWorkload',
        source: 'pods',
        message: expect.stringMatching(/^Pod default\/pod-a: annotation "basekeeper\.io\/swap-mb" has "x"/),
      }),
    ]);
  });

  it('should protect what it mounts below the instances path, and be no unmapped workload for it', () => {
    const record = map({ annotations: OURS, hostPaths: ['/var/lib/nova/instances/_base/0d5e', '/etc', '/var/lib/nova/instances'] });
    expect(record?.workload?.paths).toEqual(['/var/lib/nova/instances/_base/0d5e']);
    expect(record?.gaps).toEqual([]);
  });

  it('should have the files of the host read that it says it mounts, but not what every host has', () => {
    const volumes = [
      { path: '/data/vm-1/disk', type: 'File' },
      { path: '/data/vm-2/disk', type: 'FileOrCreate' },
      { path: '/data/vm-3', type: 'Directory' },
      { path: '/data/vm-4' },
      { path: '/etc/localtime', type: 'File' },
      { path: '/dev/kvm', type: 'File' },
      { path: '/var/lib/nova/instances/vm/disk', type: 'File' },
    ].map((hostPath, index) => ({ name: `v${index}`, hostPath }));
    const record = mapPod({ ...podObject({ annotations: OURS }), spec: { volumes } }, RULES);
    expect(record?.workload?.disks).toEqual([{ path: '/data/vm-1/disk' }, { path: '/data/vm-2/disk' }]);
  });
});

describe('a pod that mounts the instances path', () => {
  it.each([
    '/var/lib/nova/instances',
    '/var/lib/nova/instances/',
    '/var/lib//nova/./instances',
    '/var/lib/other/../nova/instances',
    '/var/lib/nova/instances/instance-1',
    '/var/lib/nova/instances/_base',
    '/var/lib/nova',
    '/var',
    '/',
    '//',
    'relative/path',
  ])('should be a gap while nothing says what it uses: %s', (path) => {
    const record = map({ hostPaths: ['/etc', path] });
    expect(record?.workload).toBeUndefined();
    expect(record?.gaps).toEqual([
      expect.objectContaining({ kind: 'UnmappedWorkload', message: expect.stringMatching(/^Pod default\/pod-a: it mounts ".*exemptPods/) }),
    ]);
  });

  it.each(['/var/lib/nova/instances2', '/var/lib/nov', '/var/lib/nova/instance', '/etc', '/var/lib/kubelet'])(
    'should be told from one that mounts something else: %s',
    (path) => {
      expect(map({ hostPaths: [path] })).toBeUndefined();
    },
  );

  it('should be exempt by namespace, by labels, or by both', () => {
    const exemptPods = [{ namespace: 'openstack', selector: { matchLabels: { application: 'libvirt' } } }, { namespace: 'kube-system' }];
    const mapped = (namespace: string, labels: Record<string, string>) => map({ hostPaths: ['/'], namespace, labels }, { exemptPods });
    expect(mapped('openstack', { application: 'libvirt' })).toBeUndefined();
    expect(mapped('kube-system', {})).toBeUndefined();
    expect(mapped('openstack', { application: 'nova' })?.gaps).toHaveLength(1);
    expect(mapped('default', { application: 'libvirt' })?.gaps).toHaveLength(1);
  });

  it('should be exempt when it is one of our own, and only in our namespace', () => {
    const labels = { 'app.kubernetes.io/part-of': 'basekeeper' };
    expect(map({ hostPaths: ['/'], namespace: 'basekeeper', labels })).toBeUndefined();
    expect(map({ hostPaths: ['/'], namespace: 'default', labels })?.gaps).toHaveLength(1);
    expect(map({ hostPaths: ['/'], namespace: 'basekeeper' })?.gaps).toHaveLength(1);
    expect(map({ hostPaths: ['/'], labels }, { ownNamespace: undefined })?.gaps).toHaveLength(1);
  });

  it('should not be exempt from its own annotations', () => {
    expect(map({ hostPaths: ['/'], annotations: OURS }, { exemptPods: [{ namespace: 'default' }] })?.workload?.images).toHaveLength(1);
  });
});

describe('a pod that the selector names', () => {
  const selector = { matchLabels: { app: 'vm' } };

  it('should be a gap without annotations: which images it uses is unknown', () => {
    const record = map({ labels: { app: 'vm' } }, { selector });
    expect(record?.workload?.name).toBe('default/pod-a');
    expect(record?.gaps).toEqual([expect.objectContaining({ kind: 'IncompleteWorkload', message: expect.stringContaining('image-ref') })]);
  });

  it('should be complete with an empty image-ref, for a VM without images', () => {
    expect(map({ labels: { app: 'vm' }, annotations: { 'basekeeper.io/image-ref': '' } }, { selector })?.gaps).toEqual([]);
  });

  it('should be nobody without the label', () => {
    expect(map({ labels: { app: 'web' } }, { selector })).toBeUndefined();
  });
});

describe('a virt-launcher pod', () => {
  const vmi = { name: 'vm-1', uid: 'vmi-uid' };

  it('should lead to its VMI by its owner', () => {
    expect(mapPod(launcherPod(vmi), RULES)).toEqual({
      workload: undefined,
      gaps: [],
      launcher: { pod: expect.objectContaining({ kind: 'Pod', name: 'virt-launcher-vm-1-x7k2p' }), vmiUid: 'vmi-uid', vmiName: 'vm-1' },
    });
  });

  it('should lead to it by label where the owner is gone', () => {
    const labels = { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': 'vmi-uid' };
    expect(map({ labels })?.launcher).toMatchObject({ vmiUid: 'vmi-uid', vmiName: undefined });
  });

  it('should be a pod like any other when VMIs are not watched', () => {
    expect(mapPod(launcherPod(vmi), { ...RULES, resolveLaunchers: false })).toBeUndefined();
    expect(mapPod(launcherPod(vmi, { hostPaths: ['/'] }), { ...RULES, resolveLaunchers: false })?.gaps).toHaveLength(1);
  });

  it('should be a workload of its own as well, with the annotations that it has from its VMI', () => {
    const record = mapPod(launcherPod(vmi, { annotations: OURS }), RULES);
    expect([record?.workload?.images.length, record?.launcher?.vmiUid]).toEqual([1, 'vmi-uid']);
  });
});

describe('any JSON', () => {
  it('should be mapped without an exception', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void mapPod(value, RULES)));
    for (const metadata of [null, [], 5, { labels: [] }, { annotations: 'x', ownerReferences: {} }, { ownerReferences: [null] }]) {
      expect(() => mapPod({ metadata, spec: { volumes: [null, { hostPath: 5 }, { hostPath: { path: [] } }] } }, RULES)).not.toThrow();
    }
  });

  it('should take no inherited property for a value', () => {
    const polluted = JSON.parse(
      '{"metadata":{"labels":{"__proto__":"x"},"annotations":{"__proto__":{"basekeeper.io/image-ref":"x"}}}}',
    ) as unknown;
    expect(mapPod(polluted, { ...RULES, selector: { matchLabels: { constructor: 'x' } } })).toBeUndefined();
  });
});
