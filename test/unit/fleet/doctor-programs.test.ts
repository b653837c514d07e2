import { describe, expect, it } from 'vitest';
import { diagnosis, heldBy, podOn } from '../../helpers/doctor-world.ts';
import { removableFile, report } from '../../helpers/reports.ts';

const FINE = report({ files: [removableFile()], result: 'DryRun' });
const LIBVIRT_ON = { config: { sources: { libvirt: { enabled: true } } } };
const definitions = (path: string) => [{ name: 'definitions', hostPath: { path } }];
const mounted = (readOnly?: boolean) => ({
  image: 'mine/vms:1',
  volumeMounts: [{ name: 'definitions', mountPath: '/etc/libvirt/qemu', ...(readOnly === undefined ? {} : { readOnly }) }],
});

async function kindsBeside(container: object, volumes: readonly object[] = []): Promise<readonly string[]> {
  const pods = [podOn({ labels: { app: 'mine' }, node: 'a', container, volumes }, 'p')];
  return (await diagnosis({ reports: { a: FINE }, pods })).kinds;
}

describe('pods that doctor knows without labels', () => {
  it.each<[string, object]>([
    ['the image of Kolla', { image: 'quay.io/openstack.kolla/nova-libvirt:2025.1-ubuntu-noble' }],
    ['an image with a digest', { image: 'registry:5000/x/libvirt:1@sha256:0123' }],
    ['an image without a tag', { image: 'nova-compute' }],
    ['a command', { image: 'mine/vms:1', command: ['/usr/sbin/libvirtd', '--listen'] }],
    ['arguments of an entry point', { image: 'mine/vms:1', args: ['virtqemud'] }],
    ['a script of OpenStack-Helm', { image: 'mine/vms:1', command: ['/tmp/libvirt.sh'] }],
    ['a launcher', { image: 'mine/vms:1', command: ['dumb-init', '--', 'nova-compute'] }],
    ['an environment', { image: 'mine/vms:1', command: ['env', 'LANG=C', 'nova-compute'] }],
    ['a script that ends in it', { image: 'mine/vms:1', command: ['sh', '-c', 'mkdir -p /run/x; exec /usr/sbin/libvirtd -l'] }],
  ])('should run libvirt by %s', async (_what, container) => {
    expect(await kindsBeside(container)).toEqual(['SourceOff']);
  });

  it.each<[string, object]>([
    ['an exporter', { image: 'mine/libvirt-exporter:1', command: ['libvirt-exporter'] }],
    ['one that asks for it', { image: 'busybox', command: ['pgrep', 'libvirtd'] }],
    ['a script that asks for it', { image: 'busybox', command: ['sh', '-c', 'pgrep libvirtd'] }],
    ['a VM of KubeVirt', { image: 'quay.io/kubevirt/virt-launcher:v1.6.0', command: ['/usr/bin/virt-launcher-monitor'] }],
    ['another service of Nova', { image: 'quay.io/openstack.kolla/nova-conductor:2025.1', command: ['nova-conductor'] }],
    ['what every object has', { image: 'constructor', command: ['toString'] }],
  ])('should leave alone %s', async (_what, container) => {
    expect(await kindsBeside(container)).toEqual([]);
  });

  it.each(['/etc/libvirt/qemu', '/var/etc/libvirt/qemu/', '/etc/libvirt'])('should run libvirt where they may write %s', async (path) => {
    expect(await kindsBeside(mounted(), definitions(path))).toEqual(['SourceOff']);
    expect(await kindsBeside(mounted(true), definitions(path))).toEqual([]);
    expect(await kindsBeside(mounted(), definitions('/srv'))).toEqual([]);
  });

  it('should be told to switch the source on where they hold, and not to be exempted', async () => {
    const pods = [podOn({ labels: { app: 'mine' }, node: 'a', container: { image: 'nova-libvirt' } }, 'p')];
    const { problems } = await diagnosis({ reports: { a: heldBy('p') }, pods });
    expect(problems).toMatchObject([{ kind: 'PodHolds', values: LIBVIRT_ON }]);
  });

  it('should show the configuration of Nova’s cleaner in the container that runs it', async () => {
    const container = { name: 'main', image: 'mine/nova-compute:1' };
    const pods = [podOn({ namespace: 'mine', labels: { app: 'mine' }, node: 'a', container }, 'p')];
    const { unknown } = await diagnosis({ reports: { a: FINE }, mode: 'enforce', pods });
    expect(unknown).toEqual([expect.stringContaining('kubectl exec --namespace mine p --container main -- grep')]);
  });
});
