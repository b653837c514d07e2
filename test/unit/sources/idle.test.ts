import { expect, it } from 'vitest';
import { createOwnNode } from '../../../src/kube/own-node.ts';
import { createPodSource } from '../../../src/sources/pods/source.ts';
import { createVmiSource } from '../../../src/sources/vmis/source.ts';
import { MemoryApiServer } from '../../helpers/memory-api-server.ts';
import { PODS, VMIS, manualClock, manualSleep, settle } from '../../helpers/reflector-harness.ts';
import { POD_RULES } from '../../helpers/kube-objects.ts';

const NODES = '/api/v1/nodes';
const SHORTEST_WATCH_SECONDS = 300;

/** Requests of ten minutes in which nothing happens but bookmarks, with every random time as short as it can be. */
async function requestsOfTenMinutes(...served: readonly string[]): Promise<string[]> {
  const kube = new MemoryApiServer(...served);
  const clock = manualClock();
  const delays = manualSleep();
  const shared = { client: kube.client, nodeName: 'node-a', instancesPath: '/i', clock, random: () => 0, sleep: delays.sleep };
  const vmis = createVmiSource(shared);
  const parts = [vmis, createPodSource({ ...shared, ...POD_RULES, vmis }), createOwnNode(shared)];
  for (const part of parts) part.start();
  await settle();
  const before = kube.requests.length;
  for (let second = 1; second <= 600; second++) {
    clock.advance(1000);
    if (second % 60 === 0) for (const path of served) kube.bookmark(path);
    if (second % SHORTEST_WATCH_SECONDS === 0) for (const path of served) kube.endWatches(path);
    delays.passed(1000);
    await settle();
  }
  await Promise.all(parts.map(async (part) => await part.stop()));
  return kube.requests.slice(before).map(({ method, path, query }) => `${method} ${path}${query?.['watch'] === 'true' ? ' watch' : ''}`);
}

it('should cost an idle agent at most 8 requests in 10 minutes, none of them a list or a write', async () => {
  const requests = await requestsOfTenMinutes(PODS, NODES, VMIS);
  expect(requests.length).toBeLessThanOrEqual(8);
  expect(requests.every((request) => request.endsWith(' watch'))).toBe(true);
});

it('should cost no more where KubeVirt is not installed', async () => {
  const requests = await requestsOfTenMinutes(PODS, NODES);
  expect(requests.length).toBeLessThanOrEqual(8);
  expect(requests.filter((request) => request === 'GET /apis').length).toBeGreaterThan(0);
});
