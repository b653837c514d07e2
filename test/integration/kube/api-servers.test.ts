import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTcpProxy } from '../../helpers/fault-proxy.ts';
import { podObject, vmiObject } from '../../helpers/kube-objects.ts';
import { asAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { create, eventually, startKubeSide, usersOf } from '../../helpers/kube-sources.ts';

const CRD = fileURLToPath(new URL('../../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));
const AGENTS = 3;
const WATCHES = 4;
const IMAGE = 'image-1';
const OURS = { 'basekeeper.io/image-ref': IMAGE };

type Side = ReturnType<typeof startKubeSide>;

let server: KubeServer;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startKubeServer();
  await installCrds(server, CRD);
});
afterAll(async () => await server.stop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startAgents(name: string, url?: string): Promise<Side[]> {
  const sides: Side[] = [];
  for (let index = 0; index < AGENTS; index++) {
    const nodeName = `${name}-${index}`;
    await asAdmin(server, 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } });
    await create(server, 'pods', podObject({ name: `${nodeName}-first`, node: nodeName, annotations: OURS }));
    const side = startKubeSide(server, { nodeName, timing: { minDelayMs: 1000 }, ...(url === undefined ? {} : { url }) });
    cleanups.push(side.stop);
    sides.push(side);
  }
  await eventually(async () => {
    for (const [index, { pods, vmis, node }] of sides.entries()) {
      expect(await usersOf(pods, IMAGE)).toEqual([`default/${name}-${index}-first`]);
      expect((await vmis.read({ consistent: false })).status.state).toBe('synced');
      expect(node.current()).toBeDefined();
    }
  });
  return sides;
}

/** Writes to what each of the agents watches, and waits until all have seen it. */
async function expectAllToFollow(sides: readonly Side[], name: string): Promise<void> {
  for (const [index] of sides.entries()) {
    const node = `${name}-${index}`;
    await create(server, 'pods', podObject({ name: `${node}-second`, node, annotations: OURS }));
    const volumes = [{ name: 'root', containerDisk: { image: IMAGE } }];
    await create(server, 'virtualmachineinstances', vmiObject({ name: `${node}-vm`, node, volumes }));
    await create(server, 'virtualmachineinstances', vmiObject({ name: `${node}-mover`, node: 'elsewhere', target: node, volumes }));
    const current = (await asAdmin(server, 'GET', `/api/v1/nodes/${node}`)) as { metadata: object };
    const metadata = { ...current.metadata, annotations: { 'basekeeper.io/mode': 'off' } };
    await asAdmin(server, 'PUT', `/api/v1/nodes/${node}`, { ...current, metadata });
  }
  await eventually(async () => {
    for (const [index, { pods, vmis, node }] of sides.entries()) {
      const expected = [`default/${name}-${index}-first`, `default/${name}-${index}-second`];
      expect((await usersOf(pods, IMAGE)).toSorted()).toEqual(expected);
      expect((await usersOf(vmis, IMAGE)).toSorted()).toEqual([`default/${name}-${index}-mover`, `default/${name}-${index}-vm`]);
      expect(node.current()?.annotations).toEqual({ 'basekeeper.io/mode': 'off' });
    }
  }, 60_000);
}

const listsOf = ({ requests }: Side): string[] => requests.filter((request) => request.startsWith('list'));

describe('agents whose only API server restarts', () => {
  it('should be told that the past is lost, and list each collection once', async () => {
    const sides = await startAgents('restarted');
    for (const { requests } of sides) requests.length = 0;
    // Else what was listed last would still be current, and its watch had no past to lose.
    await asAdmin(server, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'meanwhile' } });
    await server.restartApiServer();
    await expectAllToFollow(sides, 'restarted');
    for (const side of sides) {
      expect(listsOf(side).filter((request) => request === 'list 200')).toHaveLength(WATCHES);
      // One watch asked. The others need not, but may where its answer is slow.
      expect(side.errorEvents.length).toBeGreaterThan(0);
      expect(side.errorEvents.length).toBeLessThanOrEqual(WATCHES);
      expect(new Set(side.errorEvents)).toEqual(new Set([410]));
    }
  });
});

describe('agents of which one of two API servers stops', () => {
  it('should move to the other, and resume all watches there without a list', async () => {
    const other = await server.addApiServer();
    const forwarder = await startTcpProxy(other);
    cleanups.push(async () => await forwarder.close());
    // The newer one stops: what it knows, the older one has in its cache for certain.
    const sides = await startAgents('moved', forwarder.url);
    for (const { requests } of sides) requests.length = 0;
    forwarder.redirect(server.rest.server);
    await other.stop();
    await expectAllToFollow(sides, 'moved');
    for (const side of sides) expect([listsOf(side), side.errorEvents]).toEqual([[], []]);
  });
});
