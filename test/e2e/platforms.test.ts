/** Each platform's values beside pods like its own, on a tree like its own. The paths of its node lie below a directory of this test. */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { CHART } from '../../scripts/chart/generated.ts';
import { announceOnStderr } from '../../scripts/lib/run.ts';
import { until } from '../../scripts/lib/until.ts';
import { asText, at } from '../../src/lib/json.ts';
import { LEDGER_DIRECTORY } from '../../src/model/ledger/records.ts';
import { neighbourPod } from './lib/neighbours.ts';
import { createSession, helmOptions, isReady, type KubeObject } from './lib/session.ts';
import { InstancesTree, LIBVIRT_QEMU, sha1 } from './lib/tree.ts';
import { vmi, vmPod } from './lib/workloads.ts';

interface Platform {
  /** Of charts/basekeeper/examples. */
  readonly values: string;
  readonly title: string;
  /** Of nova there. */
  readonly uid: number;
  readonly nodeLabel: string;
  /** Of test/fixtures/neighbours/pods; each mounts of this node what it mounts of its own. */
  readonly pods: readonly string[];
  /** What keeps a file without being a domain of libvirt. */
  readonly alsoUsedBy?: 'VMI' | 'pod';
}

const COMPUTE = 'openstack-compute-node=enabled';
const NOVA_PODS = ['osh-nova-compute', 'osh-ceilometer-compute'];
const ATMOSPHERE = [...NOVA_PODS, 'atmosphere-neutron-ovs-agent', 'atmosphere-openvswitch'];
const GENESTACK = [...NOVA_PODS, 'kube-ovn-ovs-ovn'];
const PLATFORMS: readonly Platform[] = [
  { values: 'openstack-helm', title: 'Atmosphere', uid: 42_424, nodeLabel: COMPUTE, pods: ATMOSPHERE },
  { values: 'genestack', title: 'Genestack on Talos', uid: 42_424, nodeLabel: COMPUTE, pods: GENESTACK },
  { values: 'kolla', title: 'Kolla', uid: 42_436, nodeLabel: 'basekeeper.io/nova=kolla', pods: [] },
  { values: 'packages', title: 'RDO', uid: 162, nodeLabel: 'basekeeper.io/nova=packages', pods: [] },
  {
    values: 'kubevirt-beside-nova',
    title: 'KubeVirt beside Nova',
    uid: 42_424,
    nodeLabel: COMPUTE,
    pods: [...NOVA_PODS, 'kubevirt-virt-handler'],
    alsoUsedBy: 'VMI',
  },
  { values: 'vm-pods', title: 'VM pods', uid: 64_060, nodeLabel: 'example.com/vms=true', pods: [], alsoUsedBy: 'pod' },
];

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-platforms');
const { kubectl, helm, apply, namespace } = session;
const VMS = 'basekeeper-platforms-vms';
const PODS = fileURLToPath(new URL('../fixtures/neighbours/pods', import.meta.url));
const CRD = fileURLToPath(new URL('../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));
const [unused, ofDomain, ofDisk, ofOther] = ['unused', 'of a domain', 'of a disk', 'of a VMI or pod'].map(sha1) as [
  string,
  string,
  string,
  string,
];

/** This test's paths for those of the platform, which are what its values say. */
function pathsOf({ values }: Platform) {
  const root = join(access.sharedDirectory, 'platforms', values);
  const example: unknown = parse(readFileSync(join(CHART, 'examples', `${values}.yaml`), 'utf8'));
  const libvirt = at(example, 'config', 'sources', 'libvirt');
  return {
    instances: join(root, asText(at(example, 'config', 'instancesPath')) ?? ''),
    ...(libvirt === undefined
      ? {}
      : {
          status: join(root, asText(at(libvirt, 'statusPath')) ?? '/run/libvirt/qemu'),
          definitions: join(root, asText(at(libvirt, 'definitionsPath')) ?? '/etc/libvirt/qemu'),
        }),
  };
}

function optionsOf(platform: Platform): string[] {
  const { instances, status, definitions } = pathsOf(platform);
  const libvirt = status === undefined ? [] : ['--set', `config.sources.libvirt.statusPath=${status}`];
  if (definitions !== undefined) libvirt.push('--set', `config.sources.libvirt.definitionsPath=${definitions}`);
  const values = join(CHART, 'examples', `${platform.values}.yaml`);
  return [...helmOptions(instances), '--values', values, ...libvirt, '--set', 'config.jitterSeconds=0'];
}

/** One that runs by its definition, and by a disk that QEMU alone may read. */
async function addDomains(tree: InstancesTree, definitions: string): Promise<void> {
  const nova = 'xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"';
  const metadata = `<metadata><nova:instance ${nova}><nova:root type="image" uuid="of a domain"/></nova:instance></metadata>`;
  const domain = `<domain><name>instance-00000001</name><uuid>5f0e2c9a-0000-4000-8000-000000000003</uuid>${metadata}</domain>`;
  writeFileSync(join(definitions, 'instance-00000001.xml'), domain, { mode: 0o600 });
  for (const name of [ofDomain, ofDisk]) await tree.addBase({ name });
  await tree.addInstance('5f0e2c9a-0000-4000-8000-000000000004', ofDisk);
}

const LIBVIRT = {
  metadata: { labels: { application: 'libvirt', component: 'libvirt' } },
  spec: {
    containers: [{ name: 'libvirt', volumeMounts: [{ name: 'nova', mountPath: '/var/lib/nova', mountPropagation: 'Bidirectional' }] }],
    volumes: [{ name: 'nova', hostPath: { path: '/var/lib/nova' } }],
  },
};

/** The pods of such a node, and node-exporter, which is everywhere. */
async function startPods(platform: Platform): Promise<readonly string[]> {
  const names = ['prometheus-node-exporter', ...platform.pods];
  const fixtures = names.map((name): [string, unknown] => [name, JSON.parse(readFileSync(join(PODS, `${name}.json`), 'utf8'))]);
  if (platform.pods.length > 0) fixtures.push(['libvirt', LIBVIRT]);
  const place = { namespace: VMS, node, nova: join(pathsOf(platform).instances, '..') };
  await apply(...fixtures.map(([name, fixture]) => neighbourPod(fixture, name, place)));
  return fixtures.map(([name]) => name);
}

async function addOther({ alsoUsedBy }: Platform, instancesPath: string): Promise<readonly string[]> {
  const spec = { namespace: VMS, name: 'vm', node, imageRef: 'of a VMI or pod' };
  if (alsoUsedBy === 'VMI') await apply(vmi(spec));
  if (alsoUsedBy !== 'pod') return [];
  const pod = vmPod({ ...spec, instancesPath }) as { metadata: object };
  await apply({ ...pod, metadata: { ...pod.metadata, labels: { 'example.com/vm': 'true' } } });
  return ['vm'];
}

async function whenReady(names: readonly string[]): Promise<void> {
  await until(`${names.join(', ')} run`, 60_000, async () => {
    const { items } = await session.json<{ items: KubeObject[] }>('--namespace', VMS, 'get', 'pods');
    return names.every((name) => items.some((pod) => pod.metadata.name === name && isReady(pod))) ? true : undefined;
  });
}

/** Of all that lies there but the ledger, and of the ledger. */
function ownersBelow(path: string): { readonly novas: readonly number[]; readonly ledgers: readonly number[] } {
  const paths = readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => join(entry.parentPath, entry.name));
  const ownersOf = (some: readonly string[]) => [...new Set(some.map((one) => statSync(one).uid))].toSorted((left, right) => left - right);
  const isLedgers = (one: string): boolean => one.startsWith(join(path, 'locks', LEDGER_DIRECTORY));
  return { novas: ownersOf(paths.filter((one) => !isLedgers(one))), ledgers: ownersOf(paths.filter(isLedgers)) };
}

beforeAll(async () => {
  await kubectl('apply', '--filename', CRD);
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/virtualmachineinstances.kubevirt.io');
  for (const name of [namespace, VMS]) {
    await kubectl('create', 'namespace', name);
    await kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/enforce=privileged');
  }
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  const keys = new Set(PLATFORMS.map(({ nodeLabel }) => nodeLabel.split('=')[0] ?? ''));
  await kubectl('label', 'node', node, ...[...keys].map((key) => `${key}-`));
  for (const name of [VMS, namespace]) await kubectl('delete', 'namespace', name, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', '--ignore-not-found', '--filename', CRD);
});

describe("each platform's values, on a node like its own", () => {
  it.each(PLATFORMS)('should remove what nothing uses, and keep what is used: $title', async (platform) => {
    const began = performance.now();
    const { instances, status, definitions } = pathsOf(platform);
    const makesDirectories = platform.values === 'vm-pods';
    const tree = new InstancesTree(instances, { owner: platform.uid, bare: makesDirectories });
    for (const path of [status, definitions]) if (path !== undefined) mkdirSync(path, { recursive: true });
    if (definitions !== undefined) await addDomains(tree, definitions);
    await kubectl('label', 'node', node, '--overwrite', platform.nodeLabel);
    const pods = [...(await startPods(platform)), ...(await addOther(platform, instances))];
    await helm(3, 'upgrade', '--install', 'basekeeper', ...optionsOf(platform), '--wait', '--timeout', '90s');
    await whenReady(pods);
    const agent = await session.readyAgent();
    for (const name of [unused, ofOther]) await tree.addBase({ name });
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('DryRun');
    expect(tree.baseNames()).toContain(unused);
    await kubectl('annotate', 'node', node, 'basekeeper.io/mode=enforce');
    const annotations = await session.runNow(node);
    expect(annotations['basekeeper.io/summary']).not.toContain('held');
    const used = [...(definitions === undefined ? [] : [ofDomain, ofDisk]), ...(platform.alsoUsedBy === undefined ? [] : [ofOther])];
    expect(tree.baseNames().filter((name) => !name.startsWith('.'))).toEqual(used.toSorted());
    // The agent, which is root, leaves nothing of root's but its record.
    const novas = [platform.uid, ...(definitions === undefined ? [] : [LIBVIRT_QEMU])];
    expect(ownersBelow(instances)).toEqual({ novas, ledgers: [0] });
    await kubectl('annotate', 'node', node, 'basekeeper.io/mode-');
    const leaving = [...pods.map((name) => `pod/${name}`), ...(platform.alsoUsedBy === 'VMI' ? ['vmi/vm'] : [])];
    await kubectl('--namespace', VMS, 'delete', '--now', ...leaving);
    announceOnStderr(`e2e: ${platform.title}, ${agent.metadata.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  });
});
