import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { SourceReading } from '../../../src/model/workload.ts';
import { HostWatches } from '../../../src/shared-storage/host-watches.ts';
import { createSharedStorageSource } from '../../../src/shared-storage/source.ts';
import { basekeeper } from '../../helpers/basekeeper.ts';
import { POD_RULES, podObject, vmiObject } from '../../helpers/kube-objects.ts';
import { adminKubeConfig, asAdmin, deleteAsAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { SHORT, create, eventually } from '../../helpers/kube-sources.ts';
import { memoryStorageRegistry } from '../../helpers/memory-registry.ts';
import { PATIENTLY, removedBy, sharedHost, sharedTree, startAgent } from '../../helpers/shared-agents.ts';
import { DAY, buildTree, type Tree } from '../../helpers/tree.ts';

const CRD = fileURLToPath(new URL('../../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));
const sha1 = (image: string): string => createHash('sha1').update(image).digest('hex');
const OLD = { content: 'base', ageSeconds: 3 * DAY };
const NODES = ['node-a', 'node-b', 'node-c'];

let server: KubeServer;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  server = await startKubeServer();
  await installCrds(server, CRD);
  for (const name of NODES) await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name } });
});
afterAll(async () => await server?.stop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newPod(name: string, node: string, image: string): Promise<void> {
  cleanups.push(async () => await removePod(name));
  await create(server, 'pods', podObject({ name, node, annotations: { 'basekeeper.io/image-ref': image } }));
}

const removePod = async (name: string): Promise<void> => await deleteAsAdmin(server, `/api/v1/namespaces/default/pods/${name}`);

/** What node-a's agent learns of the others, by the API alone. */
function storage(tree: Tree, over: { readonly needsReports?: boolean } = {}) {
  const client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'basekeeper/test', observe: () => undefined });
  const registry = memoryStorageRegistry({ 'node-a': Date.now(), 'node-b': Date.now() });
  const watches = new HostWatches({
    client,
    clock: systemClock,
    random: Math.random,
    timing: SHORT,
    instancesPath: '/var/lib/nova/instances',
    pods: { ...POD_RULES },
    vmis: true,
  });
  const source = createSharedStorageSource({
    hostName: 'node-a',
    hostNamePattern: '$(NODE_NAME)',
    hostTimeoutSeconds: 86_400,
    staleHosts: 'hold',
    settleSeconds: 0,
    ignoredHosts: [],
    hostInstancesPath: '/i',
    subdirectoryName: '_base',
    needsInstanceNames: false,
    instancesPath: tree.instancesPath,
    locksPath: tree.path('locks'),
    registry,
    needsReports: over.needsReports ?? false,
    watches,
    registrationProblem: () => undefined,
    clock: systemClock,
  });
  cleanups.push(async () => {
    await source.stop();
    client.close();
  });
  const read = async (consistent = false): Promise<SourceReading> => await source.read({ consistent });
  return { registry, source, read };
}

function newTree(): Tree {
  const tree = buildTree({ locks: { directory: true } });
  cleanups.push(() => tree.cleanup());
  return tree;
}

const stateOf = ({ sharedStorage }: SourceReading, host: string): string | undefined =>
  sharedStorage?.hosts.find(({ name }) => name === host)?.state;
const imagesOf = ({ workloads }: SourceReading): string[] => workloads.flatMap(({ images }) => images.map(({ ref }) => ref)).toSorted();

describe('what the API tells of other hosts', () => {
  it('should be the pods and VMIs of their nodes, from the moment a host comes until it goes', async () => {
    const { registry, read } = storage(newTree());
    await newPod('pod-b', 'node-b', 'of a pod');
    await newPod('pod-c', 'node-c', 'of another pod');
    cleanups.push(async () => await deleteAsAdmin(server, '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/vmi-b'));
    await create(
      server,
      'virtualmachineinstances',
      vmiObject({ name: 'vmi-b', node: 'node-b', volumes: [{ containerDisk: { image: 'of a VMI' } }] }),
    );
    await eventually(async () => {
      const reading = await read();
      expect(reading.status.state).toBe('synced');
      expect(stateOf(reading, 'node-b')).toBe('known');
      expect(imagesOf(reading)).toEqual(['of a VMI', 'of a pod']);
    });
    await registry.register('node-c', Date.now());
    await eventually(async () => expect(imagesOf(await read())).toEqual(['of a VMI', 'of a pod', 'of another pod']));
    await registry.forget('node-b');
    await eventually(async () => expect(imagesOf(await read())).toEqual(['of another pod']));
    await removePod('pod-c');
    await eventually(async () => expect(imagesOf(await read())).toEqual([]));
  });

  it('should count as listed consistently only after everything was, and as a host that is being listed until then', async () => {
    const { read } = storage(newTree());
    expect((await read()).status.state).toBe('syncing');
    await eventually(async () => expect((await read()).status).toMatchObject({ state: 'synced', consistentListAtMs: undefined }));
    const before = Date.now();
    expect((await read(true)).status.consistentListAtMs).toBeGreaterThanOrEqual(before);
    expect((await read()).status.consistentListAtMs).toBeGreaterThanOrEqual(before);
  });

  it('should be nothing for a host that is not a node, until it is one', async () => {
    const { registry, read } = storage(newTree());
    await registry.forget('node-b');
    await registry.register('node-late', Date.now());
    await eventually(async () => expect(stateOf(await read(), 'node-late')).toBe('unknown'));
    await eventually(async () => {
      const message = (await read()).sharedStorage?.hosts.find(({ name }) => name === 'node-late')?.message;
      expect(message).toBe('there is no Node node-late, and it has not reported: does an agent run there?');
    });
    cleanups.push(async () => await deleteAsAdmin(server, '/api/v1/nodes/node-late'));
    await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: 'node-late' } });
    await eventually(async () => expect(stateOf(await read(true), 'node-late')).toBe('known'));
  });

  it('should not be enough where hosts have workloads that only they can tell', async () => {
    const { read } = storage(newTree(), { needsReports: true });
    await eventually(async () => expect((await read()).sharedStorage?.hosts.at(-1)?.message).toContain('it has not reported'));
    expect(stateOf(await read(), 'node-b')).toBe('unknown');
  });

  it('should include what it cannot tell: a pod of another node that mounts the directory for no known reason', async () => {
    const { read } = storage(newTree());
    cleanups.push(async () => await removePod('unmapped'));
    await create(server, 'pods', podObject({ name: 'unmapped', node: 'node-b', hostPaths: ['/var/lib/nova/instances'] }));
    await eventually(async () => expect((await read()).gaps).toMatchObject([{ kind: 'UnmappedWorkload', source: 'sharedStorage' }]));
    expect((await read()).gaps[0]).not.toHaveProperty('object');
  });

  it('should be nothing for hosts beyond those that it watches, whatever their names', async () => {
    const { registry, read } = storage(newTree());
    for (let number = 0; number < 30; number++) await registry.register(`node-${number}`, Date.now());
    for (const odd of ['../../etc', 'a,b', 'x'.repeat(500), '__proto__']) await registry.register(odd, Date.now());
    const { sharedStorage } = await read(true);
    expect(sharedStorage?.hosts.filter(({ state }) => state === 'unknown')).toHaveLength(
      34 + (stateOf(await read(), 'node-b') === 'unknown' ? 1 : 0),
    );
    expect(sharedStorage?.hosts.filter(({ message }) => message?.includes('too many hosts')).length).toBeGreaterThanOrEqual(14);
    expect(sharedStorage?.hosts.filter(({ message }) => message?.includes('no Node can have its name'))).toHaveLength(4);
  });
});

describe('agents and passes of several nodes on one directory', () => {
  const config = { sources: {}, annotations: true, events: true };

  it('should remove each file once, and never what a pod of any node uses, while pods come and go', async () => {
    const images = Array.from({ length: 10 }, (_, number) => `image-${number}`);
    const tree = sharedTree(Object.fromEntries(images.map((image) => [`_base/${sha1(image)}`, OLD])));
    writeFileSync(tree.path('compute_nodes'), JSON.stringify(Object.fromEntries(NODES.map((name) => [name, Date.now() / 1000]))));
    const used = images.filter((_, number) => number % 2 === 0);
    for (const [index, image] of used.entries()) await newPod(`vm-${index}`, NODES[index % 3] ?? '', image);
    const hosts = NODES.map((name) => sharedHost(tree, name, config));
    const env = { KUBECONFIG: server.kubeconfigPath };
    const agents = hosts.map((host) => startAgent(host, env));
    const passes = hosts.map(async ({ configPath }) => await basekeeper(['pass', '--config', configPath], { env }));
    const isThere = (image: string): boolean => existsSync(tree.path(`_base/${sha1(image)}`));
    await vi.waitFor(() => expect(images.filter(isThere)).toEqual(used), PATIENTLY);
    const [gone = '', ...stay] = used;
    await removePod('vm-0');
    utimesSync(tree.path(`_base/${sha1(gone)}`), 1e9, 1e9);
    await vi.waitFor(() => {
      // The last agent that saw it in use may have touched it since.
      if (isThere(gone)) utimesSync(tree.path(`_base/${sha1(gone)}`), 1e9, 1e9);
      expect(images.filter(isThere)).toEqual(stay);
    }, PATIENTLY);
    const ran = await Promise.all(passes);
    for (const agent of agents) agent.child.kill('SIGTERM');
    expect((await Promise.all(agents.map((agent) => agent.ended))).map(({ code }) => code)).toEqual([0, 0, 0]);
    const byPasses = ran.flatMap(({ stdout }) =>
      images.map(sha1).filter((name) => new RegExp(`${name.slice(0, 10)}\\S* .* removed `).test(stdout)),
    );
    const removals = [...agents.flatMap(removedBy), ...byPasses].toSorted();
    expect(removals).toEqual(
      images
        .filter((image) => !stay.includes(image))
        .map(sha1)
        .toSorted(),
    );
    expect(ran.map(({ code, stderr }) => (code === 1 ? stderr : ''))).toEqual(['', '', '']);
    expect(Object.keys(JSON.parse(readFileSync(tree.path('compute_nodes'), 'utf8')) as object).toSorted()).toEqual(NODES);
  });

  it('should hold on all nodes for a nova-compute that is not a node, and go on when it says no more that it is there', async () => {
    const tree = sharedTree({ [`_base/${sha1('unused')}`]: OLD });
    writeFileSync(tree.path('compute_nodes'), JSON.stringify({ 'node-elsewhere': Date.now() / 1000 }));
    await newPod('some-vm', 'node-b', 'some image');
    const env = { KUBECONFIG: server.kubeconfigPath };
    const pass = async (name: string, sharedStorage: object = {}) => {
      const { configPath } = sharedHost(tree, `${name}-${Math.random()}`, { ...config, nodeName: name, sharedStorage });
      return await basekeeper(['pass', '--config', configPath], { env });
    };
    for (const name of NODES) {
      const held = await pass(name);
      expect(held.code, held.stdout).toBe(3);
      expect(held.stdout.replaceAll(/\s+/g, ' ')).toContain('HostWorkloadsUnknown: host "node-elsewhere": there is no Node node-elsewhere');
    }
    const done = await pass('node-a', { ignoredHosts: ['node-elsewhere'] });
    expect(done.code, done.stdout).toBe(0);
    expect(readdirSync(tree.basePath)).toEqual([]);
  });
});
