import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import { KubeApiError } from '../../../src/kube/errors.ts';
import type { KubeClient } from '../../../src/kube/types.ts';
import { eventBody, eventsPath, seriesPatch } from '../../../src/report/events/body.ts';
import { eventValue } from '../../../src/report/events/event.ts';
import { adminKubeConfig, asAdmin, startKubeServer } from '../../helpers/kube-server.ts';
import { memoryKube } from '../../helpers/memory-kube.ts';
import { VM } from '../../helpers/reports.ts';

const MERGE_PATCH = 'application/merge-patch+json';

interface World {
  readonly client: KubeClient;
  /** Creates the node; answers its UID. */
  createNode(name: string): Promise<string>;
  close(): Promise<void>;
}

async function realWorld(): Promise<World> {
  const server = await startKubeServer();
  const client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test' });
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'tenant' } });
  return {
    client,
    createNode: async (name) => {
      const node = (await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name } })) as { metadata: { uid: string } };
      return node.metadata.uid;
    },
    close: async () => {
      client.close();
      await server.stop();
    },
  };
}

function memoryWorld(): Promise<World> {
  const kube = memoryKube();
  return Promise.resolve({
    client: kube,
    createNode: (name) => {
      kube.putNode(name, `uid-${name}`);
      return Promise.resolve(`uid-${name}`);
    },
    close: () => Promise.resolve(),
  });
}

async function statusOf(work: Promise<unknown>): Promise<number | undefined> {
  try {
    await work;
    return 200;
  } catch (error) {
    if (error instanceof KubeApiError) return error.status;
    throw error;
  }
}

describe.each([
  ['in memory', memoryWorld],
  ['on a real API server', realWorld],
])('what a reporter asks of a client, %s', (_where, build) => {
  let world: World;
  beforeAll(async () => {
    world = await build();
  });
  afterAll(async () => await world.close());

  const annotate = (name: string, annotations: Record<string, string>): Promise<unknown> =>
    world.client.request({ method: 'PATCH', path: `/api/v1/nodes/${name}`, body: { metadata: { annotations } }, contentType: MERGE_PATCH });

  const event = eventValue('BackingFileMissing', { problem: 'x', regarding: VM }, 'It is gone.');
  const identity = (name: string) => ({
    name,
    controller: 'basekeeper.io/agent',
    instance: 'node-1',
    eventMs: Date.parse('2026-11-23T14:00:00Z'),
  });
  const create = (name: string): Promise<unknown> =>
    world.client.request({ method: 'POST', path: eventsPath(event), body: eventBody(event, identity(name)) });
  const count = (name: string, times: number): Promise<unknown> => {
    const body = seriesPatch({ count: times, lastObservedMs: Date.parse('2026-11-23T14:05:00Z') });
    return world.client.request({ method: 'PATCH', path: `${eventsPath(event)}/${name}`, body, contentType: MERGE_PATCH });
  };

  it('should merge annotations into a node and answer with its UID', async () => {
    const uid = await world.createNode('merged');
    await annotate('merged', { 'basekeeper.io/result': 'Held', 'basekeeper.io/summary': 'a' });
    expect(await annotate('merged', { 'basekeeper.io/summary': 'b' })).toMatchObject({
      metadata: { uid, annotations: { 'basekeeper.io/result': 'Held', 'basekeeper.io/summary': 'b' } },
    });
  });

  it('should answer 404 for a node that does not exist', async () => {
    expect(await statusOf(annotate('missing', { 'basekeeper.io/result': 'Held' }))).toBe(404);
  });

  it('should create an event once under a name', async () => {
    expect(await create('vm-1.1')).toMatchObject({ note: event.note, regarding: { kind: 'VirtualMachineInstance', uid: VM.uid } });
    expect(await statusOf(create('vm-1.1'))).toBe(409);
  });

  it('should count the repetitions of an event', async () => {
    await create('vm-1.2');
    expect(await count('vm-1.2', 2)).toMatchObject({ series: { count: 2, lastObservedTime: '2026-11-23T14:05:00.000000Z' } });
    expect(await count('vm-1.2', 9)).toMatchObject({ series: { count: 9 } });
  });

  it('should create an event with the repetitions that it has already', async () => {
    const body = eventBody(event, identity('vm-1.3'), { count: 3, lastObservedMs: Date.parse('2026-11-23T14:05:00Z') });
    expect(await world.client.request({ method: 'POST', path: eventsPath(event), body })).toMatchObject({ series: { count: 3 } });
  });

  it('should answer 404 for an event that it has forgotten', async () => {
    expect(await statusOf(count('vm-1.forgotten', 2))).toBe(404);
  });
});
