import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { mapVmi } from '../../../../src/sources/vmis/map-vmi.ts';
import { vmiObject, type VmiParts } from '../../../helpers/kube-objects.ts';

const INSTANCES = '/var/lib/nova/instances';
const map = (parts: VmiParts) => mapVmi(vmiObject(parts), INSTANCES);

describe('a VirtualMachineInstance', () => {
  it('should be a workload under its name, its UID and KubeVirt’s domain name', () => {
    const { uid, workload, gaps } = map({ name: 'vm-1', namespace: 'tenant', uid: 'u-1' });
    expect(uid).toBe('u-1');
    expect(gaps).toEqual([]);
    expect(workload).toMatchObject({
      source: 'virtualMachineInstances',
      name: 'tenant/vm-1',
      object: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', namespace: 'tenant', name: 'vm-1', uid: 'u-1' },
      instanceNames: ['vm-1', 'u-1', 'tenant_vm-1'],
      images: [],
      paths: [],
    });
  });

  it('should refer to the images of its container disks', () => {
    const volumes = [
      { name: 'root', containerDisk: { image: 'quay.io/containerdisks/fedora:latest' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'more', containerDisk: { image: 'registry.example/more@sha256:00' } },
    ];
    expect(map({ volumes }).workload.images).toEqual([
      { role: 'image', ref: 'quay.io/containerdisks/fedora:latest' },
      { role: 'image', ref: 'registry.example/more@sha256:00' },
    ]);
  });

  it.each([
    [{ image: 'k', kernelPath: '/boot/vmlinuz', initrdPath: '/boot/initrd' }, ['kernel', 'ramdisk']],
    [{ image: 'k', kernelPath: '/boot/vmlinuz' }, ['kernel']],
    [{ image: 'k', initrdPath: '/boot/initrd' }, ['ramdisk']],
    [{ image: 'k' }, ['kernel']],
    [{ kernelPath: '/boot/vmlinuz' }, []],
  ])('should refer to its kernelBoot container %j as %j', (container, roles) => {
    expect(map({ kernelBoot: { container } }).workload.images.map(({ role }) => role)).toEqual(roles);
  });

  it('should refer to host disks below the instances path by their path', () => {
    const volumes = [
      { hostDisk: { path: '/var/lib/nova/instances/_base/0d5e', type: 'Disk' } },
      { hostDisk: { path: '/var/lib/nova/instances/../instances/i-1/disk' } },
      { hostDisk: { path: '/var/lib/nova/instances/../../secret' } },
      { hostDisk: { path: '/var/lib/nova/instances' } },
      { hostDisk: { path: '/data/disk.img' } },
      { hostDisk: { path: 'relative' } },
    ];
    expect(map({ volumes }).workload.paths).toEqual(['/var/lib/nova/instances/_base/0d5e', '/var/lib/nova/instances/i-1/disk']);
  });

  it('should have its host disks read wherever they lie, as raw, which is how KubeVirt opens them', () => {
    const volumes = ['/var/lib/nova/instances/i-1/disk', '/data/disk.img', '/data/disk.img', 'relative'].map((path) => ({
      hostDisk: { path },
    }));
    expect(map({ volumes }).workload.disks).toEqual([
      { path: '/var/lib/nova/instances/i-1/disk', format: 'raw' },
      { path: '/data/disk.img', format: 'raw' },
    ]);
  });

  it('should be described further by our annotations', () => {
    const { workload } = map({ annotations: { 'basekeeper.io/image-ref': 'i', 'basekeeper.io/instance': 'instance-1' } });
    expect(workload.images).toEqual([{ role: 'image', ref: 'i' }]);
    expect(workload.instanceNames).toContain('instance-1');
  });

  it('should be a gap where an annotation or its volumes cannot be understood', () => {
    expect(map({ annotations: { 'basekeeper.io/ephemeral': 'x' } }).gaps).toEqual([
      expect.objectContaining({
        kind: 'IncompleteWorkload',
        source: 'virtualMachineInstances',
        message: expect.stringMatching(/^VirtualMachineInstance default\/vm-a: annotation "basekeeper\.io\/ephemeral"/),
      }),
    ]);
    expect(mapVmi({ metadata: { name: 'x', uid: 'u' }, spec: { volumes: {} } }, INSTANCES).gaps).toHaveLength(1);
  });

  it.each(['', 'Pending', 'Scheduling', 'Scheduled', 'Running', 'Succeeded', 'Failed', 'WaitingForSync', 'Unknown'])(
    'should protect in phase %j',
    (phase) => {
      const volumes = [{ containerDisk: { image: 'i' } }];
      expect(map({ volumes, status: { phase, migrationState: { sourceNode: 'a', targetNode: 'b' } } }).workload.images).toHaveLength(1);
    },
  );

  it('should be mapped without an exception, whatever it holds', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void mapVmi(value, INSTANCES)));
    fc.assert(fc.property(fc.array(fc.jsonValue()), (volumes) => void mapVmi({ spec: { volumes, domain: volumes } }, INSTANCES)));
  });
});
