import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CHART, ROOT } from '../../../scripts/chart/generated.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';
import { mapPod } from '../../../src/sources/pods/map-pod.ts';
import { at, only, render } from '../../helpers/helm.ts';
import { dryRunServer, type DryRunServer } from '../../helpers/dry-run-server.ts';

const EXAMPLES = readdirSync(`${CHART}/examples`).map((file) => basename(file, '.yaml'));
const POD = 'spec.template.spec';

/** Pods that such nodes run, of test/fixtures/neighbours. */
const OPENSTACK_HELM = [
  'osh-nova-compute',
  'osh-ceilometer-compute',
  'osh-neutron-ovs-agent',
  'osh-neutron-dhcp-agent',
  'osh-openvswitch',
  'osh-masakari-host-monitor',
  'atmosphere-neutron-ovs-agent',
  'atmosphere-openvswitch',
  'kube-ovn-ovs-ovn',
];
const EVERYWHERE = ['prometheus-node-exporter', 'cadvisor', 'fluent-bit', 'promtail', 'cilium', 'kubectl-debug-node-succeeded'];
const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  'openstack-helm': OPENSTACK_HELM,
  genestack: OPENSTACK_HELM,
  'kubevirt-beside-nova': [...OPENSTACK_HELM, 'kubevirt-virt-handler'],
};

let server: DryRunServer;
beforeAll(async () => {
  server = await dryRunServer(`${ROOT}test/fixtures/openshift/securitycontextconstraints.yaml`);
});
afterAll(async () => server.stop());

async function manifestsOf(name: string) {
  return render(parse(readFileSync(`${CHART}/examples/${name}.yaml`, 'utf8')) as object);
}

async function configOf(name: string): Promise<Config> {
  const text = at(only(await manifestsOf(name), 'ConfigMap'), 'data.config\\.yaml') as string;
  const { config, errors } = loadConfig({ text, env: { NODE_NAME: 'node-1' } });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return config;
}

describe.each(EXAMPLES)('the values examples/%s.yaml', (name) => {
  it('should be accepted by the API server, with everything that they render', async () => {
    const manifests = await manifestsOf(name);
    expect(await server.dryRun(manifests)).toHaveLength(manifests.length);
  });

  it('should stand in a document as they are', () => {
    const values = readFileSync(`${CHART}/examples/${name}.yaml`, 'utf8');
    const documents = ['platforms/clusters', `platforms/${name}`].map((page) => {
      try {
        return readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8');
      } catch {
        return '';
      }
    });
    expect(documents.some((text) => text.includes(`\`\`\`yaml\n${values}\`\`\``))).toBe(true);
  });

  it('should let no pod hold that such nodes run without using a base file', async () => {
    const { sources, policy, exemptPods, knownAgents, hostInstancesPath: instancesPath } = await configOf(name);
    const rules = { policy, exemptPods, knownAgents, instancesPath, selector: sources.pods.selector, ownNamespace: 'basekeeper' };
    for (const neighbour of [...EVERYWHERE, ...(NEIGHBOURS[name] ?? [])]) {
      const pod: unknown = JSON.parse(readFileSync(`${ROOT}test/fixtures/neighbours/pods/${neighbour}.json`, 'utf8'));
      const resolveLaunchers = sources.virtualMachineInstances.enabled;
      expect(mapPod(pod, { ...rules, resolveLaunchers })?.gaps ?? [], neighbour).toEqual([]);
    }
  });
});

describe('what the values of platforms set', () => {
  it.each([
    ['openstack-helm', '/run/libvirt/qemu', '/etc/libvirt/qemu'],
    ['genestack', '/run/libvirt/qemu', '/var/etc/libvirt/qemu'],
    ['kolla', '/run/libvirt/qemu', '/var/lib/docker/volumes/nova_libvirt_qemu/_data'],
    ['packages', '/run/libvirt/qemu', '/etc/libvirt/qemu'],
    ['kubevirt-beside-nova', '/run/libvirt/qemu', '/etc/libvirt/qemu'],
  ])('should mount where %s has the domains', async (name, status, definitions) => {
    const volumes = at(only(await manifestsOf(name), 'DaemonSet'), `${POD}.volumes`) as { name: string; hostPath?: { path: string } }[];
    const pathOf = (volume: string) => volumes.find((one) => one.name === volume)?.hostPath?.path;
    expect([pathOf('libvirt-status'), pathOf('libvirt-definitions')]).toEqual([status, definitions]);
    expect(pathOf('instances')).toBe('/var/lib/nova/instances');
  });

  it.each(['selinux', 'openshift'])('should keep the other settings of the pod: %s', async (name) => {
    const pod = at(only(await manifestsOf(name), 'DaemonSet'), POD);
    expect(at(pod, 'securityContext')).toEqual({
      runAsUser: 0,
      runAsGroup: 0,
      seccompProfile: { type: 'RuntimeDefault' },
      seLinuxOptions: { type: 'spc_t' },
    });
  });

  it('should let an OpenShift agent ask for what its pod needs, and no more', async () => {
    const manifests = await manifestsOf('openshift');
    const scc = only(manifests, 'SecurityContextConstraints');
    const daemonSet = only(manifests, 'DaemonSet');
    expect(scc['allowedCapabilities']).toEqual(at(daemonSet, `${POD}.containers.0.securityContext.capabilities.add`));
    expect(scc['users']).toEqual([`system:serviceaccount:basekeeper:${String(at(daemonSet, `${POD}.serviceAccountName`))}`]);
    const volumes = at(daemonSet, `${POD}.volumes`) as object[];
    const kinds = volumes.flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name');
    for (const kind of new Set(kinds)) expect(scc['volumes']).toContain(kind);
    const allowed = Object.entries(scc).filter(([key, value]) => key.startsWith('allow') && value === true);
    expect(allowed.map(([key]) => key)).toEqual(['allowHostDirVolumePlugin']);
  });

  it('should render the same each time and without a cluster, as Argo CD compares it', async () => {
    for (const name of EXAMPLES) expect(await manifestsOf(name), name).toEqual(await manifestsOf(name));
  });
});
