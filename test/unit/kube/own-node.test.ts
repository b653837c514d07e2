import { describe, expect, it } from 'vitest';
import { createOwnNode } from '../../../src/kube/own-node.ts';
import type { NodeMetadata } from '../../../src/kube/types.ts';
import { MemoryApiServer, type KubeObject } from '../../helpers/memory-api-server.ts';
import { manualClock, settle } from '../../helpers/reflector-harness.ts';

const NODES = '/api/v1/nodes';

function nodeObject(uid: string, annotations: Record<string, string> = {}): KubeObject {
  return { metadata: { name: 'node-a', uid, annotations } };
}

async function watched(kube: MemoryApiServer) {
  const node = createOwnNode({ client: kube.client, nodeName: 'node-a', clock: manualClock(), random: () => 0 });
  const seen: (NodeMetadata | undefined)[] = [];
  const unsubscribe = node.onChange((current) => seen.push(current));
  node.start();
  await settle();
  return { node, seen, unsubscribe };
}

describe('our own Node', () => {
  it('should be asked for alone, and as metadata only', async () => {
    const kube = new MemoryApiServer(NODES);
    kube.put(NODES, nodeObject('1'));
    const { node } = await watched(kube);
    expect(kube.requests.map(({ query, accept }) => [query?.['fieldSelector'], accept])).toEqual([
      ['metadata.name=node-a', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'],
      ['metadata.name=node-a', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'],
    ]);
    await node.stop();
  });

  it('should be unknown until it is listed, and while it does not exist', async () => {
    const kube = new MemoryApiServer(NODES);
    const node = createOwnNode({ client: kube.client, nodeName: 'node-a', clock: manualClock(), random: () => 0 });
    expect(node.current()).toBeUndefined();
    node.start();
    await settle();
    expect(node.current()).toBeUndefined();
    expect(node.status().state).toBe('synced');
    await node.stop();
  });

  it('should be known by its UID and our annotations, and no others', async () => {
    const kube = new MemoryApiServer(NODES);
    kube.put(NODES, nodeObject('1', { 'basekeeper.io/mode': 'off', 'volumes.kubernetes.io/controller-managed': 'true' }));
    const { node } = await watched(kube);
    expect(node.current()).toEqual({ name: 'node-a', uid: '1', annotations: { 'basekeeper.io/mode': 'off' } });
    await node.stop();
  });

  it('should get a new UID when it is recreated, and be unknown in between', async () => {
    const kube = new MemoryApiServer(NODES);
    kube.put(NODES, nodeObject('1'));
    const { node, seen } = await watched(kube);
    kube.remove(NODES, '1');
    await settle();
    kube.put(NODES, nodeObject('2'));
    await settle();
    expect(seen.map((current) => current?.uid)).toEqual(['1', undefined, '2']);
    await node.stop();
  });

  it('should call back when an annotation of ours changes, and not for anything else', async () => {
    const kube = new MemoryApiServer(NODES);
    kube.put(NODES, nodeObject('1'));
    const { node, seen, unsubscribe } = await watched(kube);
    kube.put(NODES, nodeObject('1', { other: 'changed' }));
    kube.bookmark(NODES);
    await settle();
    expect(seen).toHaveLength(1);
    kube.put(NODES, nodeObject('1', { 'basekeeper.io/run-now': '1' }));
    await settle();
    expect(seen.at(-1)?.annotations).toEqual({ 'basekeeper.io/run-now': '1' });

    unsubscribe();
    kube.put(NODES, nodeObject('1', { 'basekeeper.io/run-now': '2' }));
    await settle();
    expect(seen).toHaveLength(2);
    await node.stop();
  });
});
