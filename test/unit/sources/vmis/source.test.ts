import { afterEach, describe, expect, it } from 'vitest';
import { createPodSource } from '../../../../src/sources/pods/source.ts';
import { createVmiSource } from '../../../../src/sources/vmis/source.ts';
import type { WorkloadSource } from '../../../../src/model/ports.ts';
import { MemoryApiServer } from '../../../helpers/memory-api-server.ts';
import { POD_RULES, launcherPod, vmiObject } from '../../../helpers/kube-objects.ts';
import { PODS, VMIS, manualClock, manualSleep, settle } from '../../../helpers/reflector-harness.ts';

const DISK = [{ name: 'root', containerDisk: { image: 'image-1' } }];
const VMI = { name: 'vm-1', uid: 'vmi-uid', volumes: DISK };
const running: WorkloadSource[] = [];

async function start(kube: MemoryApiServer, nodeName = 'node-a') {
  const clock = manualClock();
  const delays = manualSleep();
  const shared = {
    client: kube.client,
    nodeName,
    instancesPath: '/var/lib/nova/instances',
    clock,
    random: () => 0,
    sleep: delays.sleep,
  };
  const vmis = createVmiSource(shared);
  const pods = createPodSource({ ...shared, ...POD_RULES, vmis });
  for (const source of [vmis, pods]) {
    source.start();
    running.push(source);
  }
  await settle();
  return { clock, delays, vmis, pods };
}

async function names(source: WorkloadSource, consistent = false): Promise<string[]> {
  const { workloads } = await source.read({ consistent });
  return workloads.filter(({ images }) => images.some(({ ref }) => ref === 'image-1')).map(({ name }) => name);
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (source) => await source.stop()));
});

describe('a migration between two nodes', () => {
  it('should be protected on both nodes at every step, also between the two watches', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const [source, target] = [await start(kube, 'node-a'), await start(kube, 'node-b')];
    const oldPod = launcherPod(VMI, { name: 'launcher-old', node: 'node-a' });
    const protectedOn = async (): Promise<boolean[]> =>
      await Promise.all([source, target].map(async ({ vmis, pods }) => [...(await names(vmis)), ...(await names(pods))].length > 0));

    kube.put(PODS, oldPod);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a' }));
    await settle();
    expect(await protectedOn()).toEqual([true, false]);

    kube.put(PODS, launcherPod(VMI, { name: 'launcher-new', node: 'node-b' }));
    await settle();
    // Not labelled for the target yet: the pod is a gap until the VMI is looked up.
    expect((await target.pods.read({ consistent: false })).gaps).toHaveLength(1);
    expect((await target.pods.read({ consistent: true })).gaps).toEqual([]);
    expect(await protectedOn()).toEqual([true, true]);

    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a', target: 'node-b' }));
    await settle();
    expect(await protectedOn()).toEqual([true, true]);

    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b', target: 'node-b' }));
    await settle();
    expect(await protectedOn()).toEqual([true, true]);

    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b' }));
    await settle();
    for (const { clock } of [source, target]) clock.advance(1);
    await Promise.all([source, target].flatMap(({ vmis, pods }) => [vmis.read({ consistent: true }), pods.read({ consistent: true })]));
    expect(await protectedOn()).toEqual([true, true]);
    // By now the source knows the VMI by its pod alone.
    expect([await names(source.vmis), await names(source.pods)]).toEqual([[], ['default/launcher-old']]);

    kube.remove(PODS, oldPod.metadata.uid);
    await settle();
    expect(await protectedOn()).toEqual([false, true]);
  });

  it('should protect on the target from its label on, pod or not', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b', target: 'node-a' }));
    const { vmis } = await start(kube);
    expect(await names(vmis)).toEqual(['default/vm-1']);
  });

  it('should keep a VMI whose label left one watch until the other one has had its chance', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, target: 'node-a' }));
    const { vmis, clock } = await start(kube);
    // The target label goes before the watch of nodeName has shown anything.
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b' }));
    await settle();
    expect(await names(vmis)).toEqual(['default/vm-1']);
    clock.advance(119_999);
    expect(await names(vmis)).toEqual(['default/vm-1']);
    clock.advance(1);
    expect(await names(vmis)).toEqual([]);
  });

  it('should linger as well, when it was only missed in a list that a watch needed', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, target: 'node-a' }));
    const { vmis, delays } = await start(kube);
    kube.endWatches(VMIS);
    await settle();
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b' }));
    kube.compact();
    for (let attempt = 0; attempt < 2; attempt++) {
      delays.wake();
      await settle();
    }
    expect(await names(vmis)).toEqual(['default/vm-1']);
  });

  it('should be over at once for a consistent read, which asks for the target label first', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, target: 'node-a' }));
    const { vmis, clock } = await start(kube);
    kube.remove(VMIS, 'vmi-uid');
    await settle();
    expect(await names(vmis)).toEqual(['default/vm-1']);
    clock.advance(1);
    const before = kube.requests.length;
    expect(await names(vmis, true)).toEqual([]);
    expect(kube.requests.slice(before).map(({ query }) => query?.['labelSelector'])).toEqual([
      'kubevirt.io/migrationTargetNodeName=node-a',
      'kubevirt.io/nodeName=node-a',
    ]);
  });

  it('should not be mistaken for the end of a VMI, which is over at once', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a' }));
    const { vmis } = await start(kube);
    kube.remove(VMIS, 'vmi-uid');
    expect(await names(vmis, true)).toEqual([]);
    await settle();
    expect(await names(vmis)).toEqual([]);
  });
});

describe('a virt-launcher pod', () => {
  it('should be no gap while its VMI is known', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a' }));
    kube.put(PODS, launcherPod(VMI));
    const { pods } = await start(kube);
    const reading = await pods.read({ consistent: false });
    expect(reading.gaps).toEqual([]);
    expect(reading.workloads).toEqual([
      expect.objectContaining({
        source: 'pods',
        name: 'default/virt-launcher-vm-1-x7k2p',
        object: expect.objectContaining({ kind: 'Pod' }),
        images: [{ role: 'image', ref: 'image-1' }],
      }),
    ]);
  });

  it('should be a gap while its VMI cannot be found, and look it up once a consistent read is asked for', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(PODS, launcherPod(VMI));
    const { pods } = await start(kube);
    const gap = expect.objectContaining({
      kind: 'IncompleteWorkload',
      object: expect.objectContaining({ name: 'virt-launcher-vm-1-x7k2p' }),
      message: expect.stringContaining('VirtualMachineInstance vm-1 has not been seen yet'),
    });
    expect((await pods.read({ consistent: false })).gaps).toEqual([gap]);
    expect((await pods.read({ consistent: true })).gaps).toEqual([gap]);

    // Scheduled, but not labelled yet.
    kube.put(VMIS, vmiObject(VMI));
    expect((await pods.read({ consistent: false })).gaps).toEqual([gap]);
    const reading = await pods.read({ consistent: true });
    expect([reading.gaps, reading.workloads.map(({ images }) => images[0]?.ref)]).toEqual([[], ['image-1']]);
    expect(kube.requests.at(-1)).toMatchObject({
      path: '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances',
      query: { fieldSelector: 'metadata.name=vm-1' },
    });
  });

  it('should not be mistaken for the pod of a VMI that was recreated under the same name', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(PODS, launcherPod(VMI));
    kube.put(VMIS, vmiObject({ ...VMI, uid: 'another' }));
    const { pods } = await start(kube);
    expect((await pods.read({ consistent: true })).gaps).toHaveLength(1);
  });

  it('should protect what its VMI used, also when the VMI is gone first', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a' }));
    kube.put(PODS, launcherPod(VMI));
    const { pods, vmis, clock } = await start(kube);
    kube.remove(VMIS, 'vmi-uid');
    await settle();
    clock.advance(10 * 60_000);
    expect([await names(vmis, true), await names(pods, true)]).toEqual([[], ['default/virt-launcher-vm-1-x7k2p']]);
    kube.remove(PODS, 'uid-of-virt-launcher-vm-1-x7k2p');
    await settle();
    expect(await names(pods, true)).toEqual([]);
  });

  it('should not make a failed lookup a failure of the source', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, launcherPod(VMI));
    const { pods, vmis } = await start(kube);
    const reading = await pods.read({ consistent: true });
    expect([reading.status.state, reading.gaps.length, (await vmis.read({ consistent: false })).status.state]).toEqual([
      'synced',
      1,
      'absent',
    ]);
  });

  it('should repeat the gaps of a VMI that the VMI source itself does not report', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const annotations = { 'basekeeper.io/swap-mb': 'x' };
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-a', annotations }));
    kube.put(PODS, launcherPod(VMI));
    const { pods, vmis } = await start(kube);
    const gaps = async (): Promise<number[]> =>
      await Promise.all([vmis, pods].map(async (source) => (await source.read({ consistent: true })).gaps.length));
    expect(await gaps()).toEqual([1, 0]);
    kube.put(VMIS, vmiObject({ ...VMI, node: 'node-b', annotations }));
    await settle();
    expect(await gaps()).toEqual([0, 1]);
  });
});

describe('the two watches of VMIs', () => {
  it('should be one status: the worse of the two, and the older contact', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { vmis, clock } = await start(kube);
    expect((await vmis.read({ consistent: false })).status).toMatchObject({ state: 'synced', lastContactMs: 1_000_000 });

    clock.advance(60_000);
    expect((await vmis.read({ consistent: true })).status).toMatchObject({ consistentListAtMs: 1_060_000, lastContactMs: 1_060_000 });
  });

  it.each([{ node: 'node-a' }, { target: 'node-a' }])('should be as old as the one that was silent for longer: %j', async (labels) => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { vmis, clock } = await start(kube);
    clock.advance(60_000);
    kube.put(VMIS, vmiObject({ ...VMI, ...labels }));
    await settle();
    expect(await names(vmis)).toEqual(['default/vm-1']);
    expect((await vmis.read({ consistent: false })).status.lastContactMs).toBe(1_000_000);
  });

  it('should list nothing consistently when one of the two lists fails', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { vmis } = await start(kube);
    kube.intercept = ({ query }) => {
      if (query?.['labelSelector']?.startsWith('kubevirt.io/nodeName') === true) throw new TypeError('reset');
    };
    const { status } = await vmis.read({ consistent: true });
    expect(status).toMatchObject({ state: 'failed', consistentListAtMs: undefined, message: 'reset' });
  });

  it('should ask discovery once for both while KubeVirt is not installed', async () => {
    const kube = new MemoryApiServer(PODS);
    const { clock, vmis } = await start(kube);
    clock.advance(1000);
    const before = kube.requests.length;
    const { status } = await vmis.read({ consistent: true });
    expect(status).toMatchObject({ state: 'absent', consistentListAtMs: 1_001_000 });
    expect(kube.requests.slice(before).map(({ path }) => path)).toEqual(['/apis']);
  });
});
