import { describe, expect, it } from 'vitest';
import { createOwnNode } from '../../../src/kube/own-node.ts';
import { createReconnect } from '../../../src/kube/watch/reconnect.ts';
import { createPodSource } from '../../../src/sources/pods/source.ts';
import { createVmiSource } from '../../../src/sources/vmis/source.ts';
import { MemoryApiServer } from '../../helpers/memory-api-server.ts';
import { POD_RULES, podObject } from '../../helpers/kube-objects.ts';
import { PODS, VMIS, manualClock, manualSleep, settle } from '../../helpers/reflector-harness.ts';

const NODES = '/api/v1/nodes';

function startAgentSide() {
  const kube = new MemoryApiServer(PODS, NODES, VMIS);
  const delays = manualSleep();
  const shared = {
    client: kube.client,
    nodeName: 'node-a',
    instancesPath: '/i',
    clock: manualClock(),
    random: () => 0,
    sleep: delays.sleep,
    reconnect: createReconnect(
      () => 1000,
      () => 0,
    ),
  };
  const vmis = createVmiSource(shared);
  const pods = createPodSource({ ...shared, ...POD_RULES, vmis });
  const parts = [vmis, pods, createOwnNode(shared)];
  for (const part of parts) part.start();
  const taken = (): string[] => kube.requests.splice(0).map(({ query }) => (query?.['watch'] === 'true' ? 'watch' : 'list'));
  return { kube, vmis, pods, delays, taken, stop: async () => await Promise.all(parts.map(async (part) => await part.stop())) };
}

describe('requests of an agent', () => {
  it('should be one list and one watch for each of four collections at the start', async () => {
    const side = startAgentSide();
    await settle();
    expect(side.taken().toSorted()).toEqual([...Array<string>(4).fill('list'), ...Array<string>(4).fill('watch')]);
    await side.stop();
  });

  it('should be none while objects change', async () => {
    const side = startAgentSide();
    await settle();
    side.taken();
    for (let change = 0; change < 100; change += 1) {
      side.kube.put(PODS, podObject({ name: `pod-${change % 10}`, annotations: { change: String(change) } }));
      await settle();
    }
    const { workloads } = await side.pods.read({ consistent: false });
    expect(workloads).toEqual([]);
    expect(side.taken()).toEqual([]);
    await side.stop();
  });

  it('should be one list for each collection when a pass asks for a consistent reading', async () => {
    const side = startAgentSide();
    await settle();
    side.taken();
    await side.pods.read({ consistent: true });
    await side.vmis.read({ consistent: true });
    expect(side.taken()).toEqual(['list', 'list', 'list']);
    await side.stop();
  });

  it('should be one watch in vain, and a list and a watch for each collection, when an API server without a past comes back', async () => {
    const side = startAgentSide();
    await settle();
    side.taken();
    side.kube.put(PODS, podObject({ name: 'pod', node: 'node-b' }));
    side.kube.compact();
    for (const path of [PODS, NODES, VMIS]) side.kube.endWatches(path);
    await settle();
    side.delays.passed(1000);
    await settle();
    expect(side.taken()).toEqual(['watch']);
    side.delays.passed(1000);
    await settle();
    side.delays.wake();
    await settle();
    expect(side.taken().toSorted()).toEqual([...Array<string>(4).fill('list'), ...Array<string>(4).fill('watch')]);
    await side.stop();
  });
});
