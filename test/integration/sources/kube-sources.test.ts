import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTcpProxy } from '../../helpers/fault-proxy.ts';
import { launcherPod, podObject, vmiObject, type PodParts, type VmiParts } from '../../helpers/kube-objects.ts';
import { asAdmin, deleteAsAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { create, eventually, relabel, startKubeSide, usersOf } from '../../helpers/kube-sources.ts';

const CRD = fileURLToPath(new URL('../../fixtures/kubevirt/virtualmachineinstances.yaml', import.meta.url));
const CRD_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualmachineinstances.kubevirt.io';
const IMAGE = 'image-1';
const OURS = { 'basekeeper.io/image-ref': IMAGE };
const DISK = [{ name: 'root', containerDisk: { image: IMAGE } }];

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

function side(options: Parameters<typeof startKubeSide>[1]) {
  const started = startKubeSide(server, options);
  cleanups.push(started.stop);
  return started;
}

async function newPod(parts: PodParts): Promise<string> {
  cleanups.push(async () => await deleteAsAdmin(server, `/api/v1/namespaces/default/pods/${parts.name}`));
  return await create(server, 'pods', podObject(parts));
}

async function newVmi(parts: VmiParts): Promise<string> {
  cleanups.push(async () => await removeVmi(parts.name ?? ''));
  return await create(server, 'virtualmachineinstances', vmiObject(parts));
}

const removePod = async (name: string): Promise<void> => await deleteAsAdmin(server, `/api/v1/namespaces/default/pods/${name}`);
const removeVmi = async (name: string): Promise<void> =>
  await deleteAsAdmin(server, `/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/${name}`);

async function proxy() {
  const started = await startTcpProxy(server);
  cleanups.push(async () => await started.close());
  return started;
}

describe('pods and VMIs', () => {
  it('should come, change and go', async () => {
    const { pods, vmis } = side({ nodeName: 'n-come' });
    await newPod({ name: 'come', node: 'n-come', annotations: OURS });
    await newPod({ name: 'elsewhere', node: 'n-other', annotations: OURS });
    await newVmi({ name: 'come', node: 'n-come', volumes: DISK });
    await eventually(async () => {
      expect(await usersOf(pods, IMAGE)).toEqual(['default/come']);
      expect(await usersOf(vmis, IMAGE)).toEqual(['default/come']);
    });
    await relabel(server, 'pods', 'come', { annotations: { 'basekeeper.io/image-ref': 'image-2' } });
    await eventually(async () => expect([await usersOf(pods, IMAGE), await usersOf(pods, 'image-2')]).toEqual([[], ['default/come']]));
    await removePod('come');
    await removeVmi('come');
    await eventually(async () => expect([await usersOf(pods, 'image-2'), await usersOf(vmis, IMAGE)]).toEqual([[], []]));
  });

  it('should be told apart when one is recreated under the name of another', async () => {
    const { pods } = side({ nodeName: 'n-again' });
    const first = await newPod({ name: 'again', node: 'n-again', annotations: OURS });
    await removePod('again');
    const second = await newPod({ name: 'again', node: 'n-again', annotations: OURS });
    await eventually(async () => {
      const { workloads } = await pods.read({ consistent: false });
      expect(workloads.map(({ object }) => object?.uid)).toEqual([second]);
    });
    expect(second).not.toBe(first);
  });

  it('should migrate between two nodes without ever being unprotected on either', async () => {
    const [source, target] = [side({ nodeName: 'n-source' }), side({ nodeName: 'n-target' })];
    const unprotected: string[] = [];
    const uid = await newVmi({ name: 'mover', node: 'n-source', volumes: DISK });
    const pod = (name: string, node: string) => launcherPod({ name: 'mover', uid }, { name, node });
    await create(server, 'pods', pod('launcher-old', 'n-source'));
    const isProtectedOn = async ({ pods, vmis }: typeof source): Promise<boolean> =>
      (await usersOf(pods, IMAGE)).length + (await usersOf(vmis, IMAGE)).length > 0;
    await eventually(async () => expect(await isProtectedOn(source)).toBe(true));

    await create(server, 'pods', pod('launcher-new', 'n-target'));
    // Without a label for the target, the VMI is known there by its pod alone.
    await eventually(async () => expect((await target.pods.read({ consistent: true })).gaps).toEqual([]));
    expect(await isProtectedOn(target)).toBe(true);
    const stop = new AbortController();
    const guards = [source, target].map(async (node, index) => {
      while (!stop.signal.aborted) {
        if (!(await isProtectedOn(node))) unprotected.push(index === 0 ? 'source' : 'target');
        await sleep(2);
      }
    });
    for (const labels of [
      { 'kubevirt.io/nodeName': 'n-source', 'kubevirt.io/migrationTargetNodeName': 'n-target' },
      { 'kubevirt.io/nodeName': 'n-target', 'kubevirt.io/migrationTargetNodeName': 'n-target' },
      { 'kubevirt.io/nodeName': 'n-target' },
    ]) {
      await relabel(server, 'virtualmachineinstances', 'mover', { labels });
      await Promise.all([source, target].flatMap(({ vmis, pods }) => [vmis.read({ consistent: true }), pods.read({ consistent: true })]));
    }
    stop.abort();
    await Promise.all(guards);
    expect(unprotected).toEqual([]);

    await removePod('launcher-old');
    await eventually(async () => expect([await isProtectedOn(source), await isProtectedOn(target)]).toEqual([false, true]));
    await removePod('launcher-new');
  });
});

describe('a consistent read', () => {
  it('should see at once what was written before it', async () => {
    const { pods, vmis } = side({ nodeName: 'n-now' });
    for (const name of ['now-1', 'now-2', 'now-3']) {
      const before = Date.now();
      await newPod({ name, node: 'n-now', annotations: { 'basekeeper.io/image-ref': name } });
      await newVmi({ name, node: 'n-now', volumes: [{ containerDisk: { image: name } }] });
      for (const source of [pods, vmis]) {
        const { status, workloads } = await source.read({ consistent: true });
        expect(workloads.map((workload) => workload.name)).toContain(`default/${name}`);
        expect(status.consistentListAtMs).toBeGreaterThanOrEqual(before);
      }
      await removePod(name);
      await removeVmi(name);
      for (const source of [pods, vmis]) expect((await source.read({ consistent: true })).workloads).toEqual([]);
    }
  });

  it('should need no watch', async () => {
    const { pods, stop, requests } = side({ nodeName: 'n-once' });
    await stop();
    requests.length = 0;
    const { pods: unstarted, client } = startKubeSide(server, { nodeName: 'n-once' });
    await newPod({ name: 'once', node: 'n-once', annotations: OURS });
    expect((await unstarted.read({ consistent: true })).workloads).toHaveLength(1);
    expect((await pods.read({ consistent: true })).status.state).not.toBe('failed');
    await unstarted.stop();
    client.close();
  });
});

describe('a connection', () => {
  it('should be one for all watches and lists', async () => {
    const through = await proxy();
    const { pods, vmis, node } = side({ nodeName: 'n-one', url: through.url });
    await eventually(async () => {
      for (const source of [pods, vmis]) expect((await source.read({ consistent: false })).status.state).toBe('synced');
      expect(node.status().state).toBe('synced');
    });
    for (const source of [pods, vmis]) await source.read({ consistent: true });
    expect([through.accepted(), through.open()]).toEqual([1, 1]);
  });

  it('should be reset without anything being lost', async () => {
    const through = await proxy();
    const { pods, vmis } = side({ nodeName: 'n-reset', url: through.url });
    await newPod({ name: 'reset-stays', node: 'n-reset', annotations: OURS });
    await newPod({ name: 'reset-goes', node: 'n-reset', annotations: OURS });
    await eventually(async () => expect(await usersOf(pods, IMAGE)).toHaveLength(2));
    through.resetAll();
    await removePod('reset-goes');
    await newVmi({ name: 'reset-comes', node: 'n-reset', volumes: DISK });
    await eventually(async () => {
      expect(await usersOf(pods, IMAGE)).toEqual(['default/reset-stays']);
      expect(await usersOf(vmis, IMAGE)).toEqual(['default/reset-comes']);
    });
    expect(through.open()).toBe(1);
  });

  it('should be given up when it stalls, and replaced', async () => {
    const through = await proxy();
    const connection = { pingIntervalMs: 100, pingTimeoutMs: 300, connectTimeoutMs: 300 };
    const { pods } = side({ nodeName: 'n-stall', url: through.url, connection });
    await eventually(async () => expect((await pods.read({ consistent: false })).status.state).toBe('synced'));
    through.stall();
    await newPod({ name: 'stall', node: 'n-stall', annotations: OURS });
    await eventually(async () => expect((await pods.read({ consistent: false })).status.message).toBeDefined());
    expect((await pods.read({ consistent: true })).status.consistentListAtMs).toBeUndefined();
    through.resume();
    await eventually(async () => expect(await usersOf(pods, IMAGE)).toEqual(['default/stall']));
  });

  it('should be given up when a watch is silent for longer than bookmarks allow', async () => {
    const through = await proxy();
    const { pods, requests } = side({ nodeName: 'n-idle', url: through.url, timing: { idleTimeoutMs: 300 } });
    await eventually(async () => expect((await pods.read({ consistent: false })).status.message).toMatch(/timed out/));
    await eventually(() => expect(requests.filter((request) => request === 'watch 200').length).toBeGreaterThan(3));
    expect((await pods.read({ consistent: false })).status.state).toBe('synced');
  });
});

describe('an API server that restarts', () => {
  it('should be found again by every watch, also where it has forgotten the past', async () => {
    const { pods, vmis, node, requests } = side({ nodeName: 'n-restart' });
    await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: 'n-restart' } });
    await newPod({ name: 'restart-stays', node: 'n-restart', annotations: OURS });
    await newPod({ name: 'restart-goes', node: 'n-restart', annotations: OURS });
    await newVmi({ name: 'restart-vm', node: 'n-restart', volumes: DISK });
    await eventually(async () => {
      expect([await usersOf(pods, IMAGE), await usersOf(vmis, IMAGE), node.current()?.name]).toEqual([
        expect.objectContaining({ length: 2 }),
        ['default/restart-vm'],
        'n-restart',
      ]);
    });
    await server.stopApiServer();
    await eventually(async () => expect((await pods.read({ consistent: false })).status.message).toBeDefined());
    expect((await pods.read({ consistent: true })).status.consistentListAtMs).toBeUndefined();
    expect(await usersOf(pods, IMAGE)).toHaveLength(2);

    await server.startApiServer();
    await removePod('restart-goes');
    await newPod({ name: 'restart-comes', node: 'n-restart', annotations: OURS });
    await eventually(async () =>
      expect((await usersOf(pods, IMAGE)).toSorted()).toEqual(['default/restart-comes', 'default/restart-stays']),
    );
    expect(await usersOf(vmis, IMAGE)).toEqual(['default/restart-vm']);
    await eventually(async () => {
      for (const source of [pods, vmis]) {
        const { status } = await source.read({ consistent: true });
        expect(status).toMatchObject({ state: 'synced', consistentListAtMs: expect.any(Number) });
      }
    });
    expect(requests.some((request) => request.endsWith('error'))).toBe(true);
    await deleteAsAdmin(server, '/api/v1/nodes/n-restart');
  });

  it('should answer an old version with 410, after which everything is listed again', async () => {
    const through = await proxy();
    const { pods } = side({ nodeName: 'n-gone', url: through.url });
    await newPod({ name: 'gone-goes', node: 'n-gone', annotations: OURS });
    await eventually(async () => expect(await usersOf(pods, IMAGE)).toHaveLength(1));
    through.stall();
    // A new API server knows no version from before its start.
    await removePod('gone-goes');
    await newPod({ name: 'gone-comes', node: 'n-gone', annotations: OURS });
    await server.restartApiServer();
    through.resume();
    through.resetAll();
    await eventually(async () => expect(await usersOf(pods, IMAGE)).toEqual(['default/gone-comes']));
  });
});

describe('KubeVirt', () => {
  it('should be absent, appear, and go away again', async () => {
    await deleteAsAdmin(server, CRD_PATH);
    const { vmis, pods } = side({ nodeName: 'n-crd' });
    const state = async (): Promise<string> => (await vmis.read({ consistent: false })).status.state;
    await eventually(async () => expect(await state()).toBe('absent'));
    expect((await vmis.read({ consistent: true })).status).toMatchObject({ state: 'absent', consistentListAtMs: expect.any(Number) });

    await installCrds(server, CRD);
    await create(server, 'virtualmachineinstances', vmiObject({ name: 'appears', node: 'n-crd', volumes: DISK }));
    await eventually(async () => expect(await usersOf(vmis, IMAGE)).toEqual(['default/appears']));

    await deleteAsAdmin(server, CRD_PATH);
    await eventually(async () => expect([await state(), await usersOf(vmis, IMAGE)]).toEqual(['absent', []]));
    expect((await pods.read({ consistent: true })).status.state).toBe('synced');
    await installCrds(server, CRD);
    await eventually(async () => expect(await state()).toBe('synced'));
  });
});

describe('our own Node', () => {
  it('should be followed when it is deleted and recreated', async () => {
    const { node } = side({ nodeName: 'n-own' });
    const seen: (string | undefined)[] = [];
    node.onChange((current) => seen.push(current?.uid));
    const make = async (): Promise<string> => {
      const created = await asAdmin(server, 'POST', '/api/v1/nodes', {
        metadata: { name: 'n-own', annotations: { 'basekeeper.io/mode': 'off' } },
      });
      return (created as { metadata: { uid: string } }).metadata.uid;
    };
    const first = await make();
    await eventually(() => expect(node.current()).toEqual({ name: 'n-own', uid: first, annotations: { 'basekeeper.io/mode': 'off' } }));
    await deleteAsAdmin(server, '/api/v1/nodes/n-own');
    await eventually(() => expect(node.current()).toBeUndefined());
    const second = await make();
    await eventually(() => expect(node.current()?.uid).toBe(second));
    expect(seen).toEqual([first, undefined, second]);
    await deleteAsAdmin(server, '/api/v1/nodes/n-own');
  });

  it('should be followed when it was recreated while the watch was broken', async () => {
    const through = await proxy();
    const make = async (): Promise<string> => {
      const created = await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: 'n-swap' } });
      return (created as { metadata: { uid: string } }).metadata.uid;
    };
    await make();
    const { node } = side({ nodeName: 'n-swap', url: through.url });
    await eventually(() => expect(node.current()).toBeDefined());
    through.stall();
    await deleteAsAdmin(server, '/api/v1/nodes/n-swap');
    const second = await make();
    through.resume();
    through.resetAll();
    await eventually(() => expect(node.current()?.uid).toBe(second));
    await deleteAsAdmin(server, '/api/v1/nodes/n-swap');
  });
});
