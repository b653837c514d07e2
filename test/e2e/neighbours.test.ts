import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CHART } from '../../scripts/chart/generated.ts';
import { announceOnStderr } from '../../scripts/lib/run.ts';
import { until } from '../../scripts/lib/until.ts';
import { READ_REPORT } from './lib/agent-scripts.ts';
import { neighbourPod } from './lib/neighbours.ts';
import { createSession, helmOptions, isReady, type KubeObject } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-neighbours');
const { kubectl, helm, apply } = session;
const PODS = join(import.meta.dirname, '../fixtures/neighbours/pods');

/** As a node of OpenStack-Helm runs them; nothing of theirs may hold it. */
const ORDINARY = [
  'osh-nova-compute',
  'osh-ceilometer-compute',
  'osh-openvswitch',
  'osh-neutron-ovs-agent',
  'prometheus-node-exporter',
  'vector-agent',
  'kubectl-debug-node-succeeded',
];
/** These may well be VMs. */
const HOLDING = ['libvirtd-home-made-rootfs-rw', 'subpath-nova-instances', 'vm-instances-rw'];

const directory = join(access.sharedDirectory, 'neighbours');
const tree = new InstancesTree(join(directory, 'nova', 'instances'));
const [statusPath, definitionsPath] = [join(directory, 'run'), join(directory, 'etc')];
const [unused, later, used] = ['image-of-nobody', 'another-of-nobody', 'image-of-a-domain'].map(sha1) as [string, string, string];

/** The values that the documents give for OpenStack-Helm; only its paths lie elsewhere, as this machine is no node of it. */
const options = [
  ...helmOptions(tree.path),
  '--values',
  join(CHART, 'examples', 'openstack-helm.yaml'),
  '--set',
  `config.sources.libvirt.statusPath=${statusPath},config.sources.libvirt.definitionsPath=${definitionsPath}`,
];

interface Problem {
  readonly kind: string;
  readonly message: string;
}

/** It exits with 1 where something is wrong. */
async function doctor(...args: readonly string[]): Promise<string> {
  try {
    return await session.plugin('doctor', ...args);
  } catch (error) {
    const { stdout = '' } = (error as Error).cause as { stdout?: string };
    if (stdout === '') throw error;
    return stdout;
  }
}

async function start(names: readonly string[]): Promise<void> {
  const place = { namespace: session.namespace, node, nova: dirname(tree.path) };
  await apply(...names.map((name) => neighbourPod(JSON.parse(readFileSync(join(PODS, `${name}.json`), 'utf8')), name, place)));
  await until(`${names.join(', ')} run or have ended`, 90_000, async () => {
    const { items } = await session.json<{ items: KubeObject[] }>('--namespace', session.namespace, 'get', 'pods');
    const settled = items.filter((pod) => isReady(pod) || pod.status?.phase === 'Succeeded');
    return names.every((name) => settled.some(({ metadata }) => metadata.name === name)) ? true : undefined;
  });
}

function isThere(name: string): boolean {
  return existsSync(join(tree.path, '_base', name));
}

beforeAll(async () => {
  for (const path of [statusPath, definitionsPath]) mkdirSync(path, { recursive: true });
  const nova = 'xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"';
  const metadata = `<metadata><nova:instance ${nova}><nova:root type="image" uuid="image-of-a-domain"/></nova:instance></metadata>`;
  const domain = `<domain><name>instance-00000001</name><uuid>5f0e2c9a-0000-4000-8000-000000000001</uuid>${metadata}</domain>`;
  writeFileSync(join(definitionsPath, 'instance-00000001.xml'), domain, { mode: 0o600 });
  for (const name of [unused, used]) await tree.addBase({ name });
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await kubectl('label', 'node', node, 'openstack-compute-node=enabled');
  session.installPlugin();
  await start(ORDINARY);
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('label', 'node', node, 'openstack-compute-node-');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe('ten pods beside a running agent', () => {
  it('should let a new user see the first removal soon after helm install, with the values for OpenStack-Helm', async () => {
    const began = performance.now();
    await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
    await session.readyAgent();
    const installed = performance.now();
    await until('the first pass', 60_000, async () => (await session.annotationsOf(node))['basekeeper.io/result']);
    expect(await session.plugin('status', node)).toMatch(/Last pass +DryRun/);
    expect(isThere(unused)).toBe(true);
    await session.plugin('mode', node, 'enforce');
    await until('the first removal', 60_000, async () => Promise.resolve(isThere(unused) ? undefined : true));
    const [ready, removed] = [installed, performance.now()].map((at) => ((at - began) / 1000).toFixed(1));
    announceOnStderr(`e2e: from helm install to an agent that is ready: ${ready} s, to the first removed file: ${removed} s`);
    expect(isThere(used)).toBe(true);
  });

  it('should hold only where they can reach the instances path', async () => {
    await start(HOLDING);
    await tree.addBase({ name: later });
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Held');
    const pod = await session.readyAgent();
    const { findings } = JSON.parse(await session.runInAgent(pod.metadata.name, READ_REPORT)) as {
      findings: { type: string; object?: { name: string } }[];
    };
    const holding = findings.flatMap(({ type, object }) => (type === 'UnmappedWorkload' ? [String(object?.name)] : []));
    expect(holding.toSorted()).toEqual(HOLDING);
    expect(isThere(later)).toBe(true);
  });

  it('should be named by doctor, with values that open the gate when they are pasted', async () => {
    const { problems } = JSON.parse(await doctor('-o', 'json')) as { problems: readonly Problem[] };
    const holding = problems.filter(({ kind }) => kind === 'PodHolds').map(({ message }) => String(/^Pod (\S+) in/.exec(message)?.[1]));
    expect(holding.toSorted()).toEqual(HOLDING);
    const text = await doctor();
    const pasted = join(directory, 'values.yaml');
    writeFileSync(pasted, text.slice(text.indexOf('\n# Values')));
    await helm(3, 'upgrade', 'basekeeper', ...options, '--values', pasted, '--wait');
    await session.readyAgent();
    expect((await session.runNow(node))['basekeeper.io/result']).toBe('Succeeded');
    expect([isThere(later), isThere(used)]).toEqual([false, true]);
    expect(await doctor()).toMatch(/^Nothing is wrong\.\n/);
  });
});
