import { afterEach, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../src/kube/errors.ts';
import { HostWatches, type NodesReading } from '../../../src/shared-storage/host-watches.ts';
import { MemoryApiServer } from '../../helpers/memory-api-server.ts';
import { PODS, VMIS, manualClock, manualSleep, settle } from '../../helpers/reflector-harness.ts';
import { POD_RULES } from '../../helpers/kube-objects.ts';

const NODES = '/api/v1/nodes';
const started: HostWatches[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(async (watches) => await watches.stop()));
});

function setUp({ nodes = ['node-b'] }: { readonly nodes?: readonly string[] } = {}) {
  const kube = new MemoryApiServer(NODES, PODS, VMIS);
  for (const name of nodes) kube.put(NODES, { metadata: { name, uid: name } });
  const watches = new HostWatches({
    client: kube.client,
    clock: manualClock(),
    random: () => 0.5,
    sleep: manualSleep().sleep,
    instancesPath: '/var/lib/nova/instances',
    pods: { ...POD_RULES },
    vmis: true,
  });
  started.push(watches);
  return { kube, watches };
}

/** What is told of the node once everything has had its turn. */
async function settled(watches: HostWatches): Promise<ReturnType<NodesReading['nodes']['get']>> {
  for (let turn = 0; turn < 5; turn++) await settle();
  return (await watches.read()).nodes.get('node-b');
}

const refuse = (kube: MemoryApiServer, refused: string): void => {
  kube.intercept = ({ path }) => {
    if (path === refused) throw new KubeApiError({ status: 403, reason: 'Forbidden', message: 'no' });
  };
};

describe('what is known of the node of another host', () => {
  it('should be nothing before anybody has answered, and its workloads when all has been listed', async () => {
    const { watches } = setUp();
    watches.follow(['node-b']);
    expect((await watches.read()).nodes.get('node-b')).toEqual({ state: 'syncing' });
    expect(await settled(watches)).toEqual({ state: 'synced' });
  });

  it('should be that it is not a node, where there is none of its name', async () => {
    const { watches } = setUp({ nodes: [] });
    watches.follow(['node-b']);
    expect(await settled(watches)).toEqual({ state: 'failed', message: 'there is no Node node-b' });
  });

  it.each([
    ['whether there is such a node', NODES, 'Node node-b cannot be looked up: no'],
    ['its pods', PODS, 'its pods cannot be listed: no'],
    ['its VMIs', VMIS, 'its virtualMachineInstances cannot be listed: no'],
  ])('should be problem where the API server does not tell %s', async (_what, path, message) => {
    const { kube, watches } = setUp();
    refuse(kube, path);
    watches.follow(['node-b']);
    expect(await settled(watches)).toEqual({ state: 'failed', message });
  });

  it.each([PODS, VMIS])('should be incomplete while a list is under way: %s', async (path) => {
    const { kube, watches } = setUp();
    const answer = Promise.withResolvers<void>();
    kube.intercept = async (request) => {
      if (request.path === path) await answer.promise;
    };
    watches.follow(['node-b']);
    const meanwhile = await settled(watches);
    answer.resolve();
    expect(meanwhile).toEqual({ state: 'syncing' });
    expect(await settled(watches)).toEqual({ state: 'synced' });
  });

  it('should be asked again by a consistent look, so that a node that is gone no longer counts', async () => {
    const { kube, watches } = setUp();
    watches.follow(['node-b']);
    await settled(watches);
    kube.remove(NODES, 'node-b');
    await watches.listConsistent(undefined);
    expect(await settled(watches)).toMatchObject({ state: 'failed' });
  });
});

describe('what is watched', () => {
  it('should be the VMIs of all nodes, listed again when another node comes', async () => {
    const { watches } = setUp({ nodes: ['node-b', 'node-c'] });
    watches.follow(['node-b']);
    await settled(watches);
    watches.follow(['node-b', 'node-c']);
    await settle();
    await settled(watches);
    const { nodes } = await watches.read();
    expect([...nodes]).toEqual([
      ['node-b', { state: 'synced' }],
      ['node-c', { state: 'synced' }],
    ]);
  });

  it('should be listed by quorum, all of it, for a consistent look', async () => {
    const { kube, watches } = setUp();
    watches.follow(['node-b']);
    await settled(watches);
    const before = kube.requests.length;
    await watches.listConsistent(undefined);
    const listed = kube.requests.slice(before).filter(({ query }) => query?.['limit'] !== undefined);
    expect(new Set(listed.map(({ path }) => path))).toEqual(new Set([PODS, VMIS]));
  });

  it('should be nothing any more of a host that has gone', async () => {
    const { kube, watches } = setUp();
    watches.follow(['node-b']);
    await settled(watches);
    expect([kube.openWatches(PODS), kube.openWatches(VMIS)]).toEqual([1, 2]);
    watches.follow([]);
    await settled(watches);
    expect([kube.openWatches(PODS), kube.openWatches(VMIS)]).toEqual([0, 0]);
  });
});
