import { describe, expect, it } from 'vitest';
import { hostPathOf } from '../../../../../src/sources/pods/claims/volume-path.ts';

const INSTANCES = '/var/lib/nova/instances';
const SHARE = { servers: ['filer.example', '192.0.2.7'], path: '/export/nova/instances' };

describe('the directory of the host that a volume is', () => {
  it.each([
    [{ local: { path: `${INSTANCES}/vm` } }, `${INSTANCES}/vm`],
    [{ hostPath: { path: '/var/lib/nova/' } }, '/var/lib/nova'],
    [{ local: { path: 'relative' } }, '/'],
    [{ csi: { driver: 'rbd.csi.ceph.com', volumeAttributes: { pool: 'x' } } }, undefined],
    [{ nfs: { server: 'filer.example', path: '/export/nova/instances' } }, INSTANCES],
    [{ nfs: { server: 'FILER.example', path: '/export/nova/instances/_base/' } }, `${INSTANCES}/_base`],
    [{ nfs: { server: '192.0.2.7', path: '/export/nova' } }, '/var/lib/nova'],
    [{ nfs: { server: '192.0.2.7', path: '/export' } }, '/var/lib'],
    [{ nfs: { server: '192.0.2.7', path: '/' } }, '/var'],
    [{ nfs: { server: 'filer.example', path: '/export/nova/other' } }, undefined],
    [{ nfs: { server: 'other.example', path: '/export/nova/instances' } }, undefined],
    [
      { csi: { driver: 'nfs.csi.k8s.io', volumeAttributes: { server: 'filer.example', share: '/export', subdir: 'nova/instances' } } },
      INSTANCES,
    ],
    [{ csi: { driver: 'nfs.csi.k8s.io', volumeAttributes: { server: 'filer.example', share: '/other' } } }, undefined],
    [{ nfs: { server: 5, path: [] } }, undefined],
    [null, undefined],
  ])('should be found for %j: %s', (volume, path) => {
    expect(hostPathOf(volume, { instancesPath: INSTANCES, share: SHARE })).toBe(path);
  });

  it('should be unknown for NFS where the instances path is not on NFS', () => {
    expect(hostPathOf({ nfs: { server: 'filer.example', path: SHARE.path } }, { instancesPath: INSTANCES })).toBeUndefined();
  });
});
