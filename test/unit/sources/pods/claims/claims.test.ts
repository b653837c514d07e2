import { describe, expect, it } from 'vitest';
import type { KubeClient, KubeRequest } from '../../../../../src/kube/types.ts';
import { createClaims, type ClaimReference } from '../../../../../src/sources/pods/claims/claims.ts';
import { createPodSource } from '../../../../../src/sources/pods/source.ts';
import { apiError } from '../../../../helpers/memory-kube.ts';
import { POD_RULES, podObject } from '../../../../helpers/kube-objects.ts';
import { MemoryApiServer } from '../../../../helpers/memory-api-server.ts';
import { PODS, manualClock, manualSleep, settle } from '../../../../helpers/reflector-harness.ts';

const VIEW = { instancesPath: '/i' };
const claim = (name: string): ClaimReference => ({ podUid: 'u', namespace: 'ns', name });

/** Answers for claims `c-N`, bound to volumes `v-N`; what is not there is a 404. */
class VolumeApi {
  readonly asked: string[] = [];
  readonly objects = new Map<string, unknown>();
  status: number | undefined;

  bind(name: string, spec: unknown): void {
    this.objects.set(`/api/v1/namespaces/ns/persistentvolumeclaims/${name}`, { spec: { volumeName: `v-${name}` } });
    this.objects.set(`/api/v1/persistentvolumes/v-${name}`, { spec });
  }

  request = async ({ path }: KubeRequest): Promise<unknown> => {
    await Promise.resolve();
    this.asked.push(path.slice(path.lastIndexOf('/') + 1));
    if (this.status !== undefined) throw apiError(this.status);
    const object = this.objects.get(path);
    if (object === undefined) throw apiError(404);
    return object;
  };

  get client(): KubeClient {
    const stream = (): never => {
      throw new Error('nothing is watched');
    };
    return { request: this.request, stream, close: () => {} };
  }
}

describe('the volumes of claims', () => {
  it('should be looked up once, two requests each, for nothing of them can change', async () => {
    const api = new VolumeApi();
    api.bind('a', { local: { path: '/i/vm' } });
    api.bind('b', { csi: { driver: 'rbd.csi.ceph.com' } });
    const claims = createClaims(api.client, VIEW);
    for (let pass = 0; pass < 3; pass += 1) await claims.refresh([claim('a'), claim('b')], { again: true });
    expect([claims.find(claim('a')), claims.find(claim('b'))]).toEqual([{ kind: 'host', path: '/i/vm' }, { kind: 'elsewhere' }]);
    expect(api.asked.toSorted()).toEqual(['a', 'b', 'v-a', 'v-b']);
  });

  it('should be asked for again while a claim is not bound, but not under the locks of files', async () => {
    const api = new VolumeApi();
    const claims = createClaims(api.client, VIEW);
    await claims.refresh([claim('a')], { again: true });
    expect(claims.find(claim('a'))).toEqual({ kind: 'elsewhere' });
    api.bind('a', { hostPath: { path: '/i' } });
    await claims.refresh([claim('a')], { again: false });
    expect(claims.find(claim('a'))).toEqual({ kind: 'elsewhere' });
    await claims.refresh([claim('a')], { again: true });
    expect(claims.find(claim('a'))).toEqual({ kind: 'host', path: '/i' });
  });

  it('should be unknown before they were looked up, and where nothing answers', async () => {
    const api = new VolumeApi();
    const claims = createClaims(api.client, VIEW);
    expect(claims.find(claim('a'))).toMatchObject({ kind: 'unknown' });
    api.status = 500;
    await claims.refresh([claim('a')], { again: true });
    expect(claims.find(claim('a'))).toEqual({ kind: 'unknown', why: 'answered 500' });
    api.status = undefined;
    await claims.refresh([claim('a')], { again: true });
    expect(claims.find(claim('a'))).toEqual({ kind: 'elsewhere' });
  });

  it('should be unknown where a claim is bound to a volume that is gone', async () => {
    const api = new VolumeApi();
    api.bind('a', {});
    api.objects.delete('/api/v1/persistentvolumes/v-a');
    const claims = createClaims(api.client, VIEW);
    await claims.refresh([claim('a')], { again: true });
    expect(claims.find(claim('a'))).toMatchObject({ kind: 'unknown' });
  });

  it('should hold nothing and be told where they may not be read, and cost one request a pass', async () => {
    const api = new VolumeApi();
    api.bind('a', { local: { path: '/i/vm' } });
    api.status = 403;
    const claims = createClaims(api.client, VIEW);
    await claims.refresh([claim('a')], { again: true });
    expect([claims.find(claim('a')), claims.problem()]).toEqual([{ kind: 'elsewhere' }, 'answered 403']);
    api.asked.splice(0);
    await claims.refresh([claim('a'), claim('b'), claim('c')], { again: true });
    expect([api.asked.length, claims.find(claim('c'))]).toEqual([1, { kind: 'elsewhere' }]);
    api.status = undefined;
    await claims.refresh([claim('a'), claim('b')], { again: true });
    await claims.refresh([claim('a'), claim('b')], { again: true });
    expect([claims.find(claim('a')), claims.problem()]).toEqual([{ kind: 'host', path: '/i/vm' }, undefined]);
  });

  it('should be asked for once, however many pods name the same claim', async () => {
    const api = new VolumeApi();
    api.bind('a', { local: { path: '/i/vm' } });
    const claims = createClaims(api.client, VIEW);
    const pods = ['u', 'v', 'w'].flatMap((podUid) => ['a', 'missing'].map((name) => ({ podUid, namespace: 'ns', name })));
    await claims.refresh(pods, { again: true });
    expect(pods.map((pod) => claims.find(pod).kind)).toEqual(['host', 'elsewhere', 'host', 'elsewhere', 'host', 'elsewhere']);
    expect(api.asked.toSorted()).toEqual(['a', 'missing', 'v-a']);
  });

  it('should be asked for in turn where too many are not bound, and those left out be unknown', async () => {
    const api = new VolumeApi();
    const claims = createClaims(api.client, VIEW);
    const many = Array.from({ length: 300 }, (_, index) => claim(`m${index}`));
    const other = { podUid: 'u', namespace: 'other', name: 'c' };
    await claims.refresh([...many, other], { again: true });
    expect([api.asked.length, api.asked.at(-1)]).toEqual([257, 'c']);
    const kinds = (): string[] => many.map((one) => claims.find(one).kind);
    expect(Object.fromEntries(Object.entries(Object.groupBy(kinds(), (kind) => kind)).map(([kind, all]) => [kind, all?.length]))).toEqual({
      elsewhere: 256,
      unknown: 44,
    });
    expect(claims.find(other)).toEqual({ kind: 'elsewhere' });
    api.asked.splice(0);
    await claims.refresh([...many, other], { again: true });
    // What was left out comes first, and what was not asked for this time is unknown again.
    expect(api.asked.slice(0, 44).toSorted()).toEqual(
      many
        .slice(256)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect([api.asked.length, kinds().filter((kind) => kind === 'unknown').length]).toEqual([257, 44]);
    await claims.refresh(many.slice(0, 256), { again: true });
    expect(many.slice(0, 256).every((one) => claims.find(one).kind === 'elsewhere')).toBe(true);
  });

  it('should not be asked for by the thousand, however many namespaces name them', async () => {
    const api = new VolumeApi();
    const claims = createClaims(api.client, VIEW);
    const named = Array.from({ length: 10 * 200 }, (_, index) => ({ podUid: 'u', namespace: `ns-${index % 10}`, name: `c${index}` }));
    await claims.refresh(named, { again: true });
    expect(api.asked).toHaveLength(1024);
  });

  it('should be forgotten with their pods', async () => {
    const api = new VolumeApi();
    api.bind('a', { local: { path: '/i/vm' } });
    const claims = createClaims(api.client, VIEW);
    await claims.refresh([claim('a')], { again: true });
    await claims.refresh([], { again: true });
    expect(claims.find(claim('a'))).toMatchObject({ kind: 'unknown' });
  });
});

describe('a pod whose claim leads to the instances path', () => {
  async function reading(volume: object, annotations?: Record<string, string>, over: Record<string, unknown> = {}) {
    const api = new VolumeApi();
    api.bind('data', { local: { path: '/i/vm' } });
    api.bind('pod-a-scratch', { hostPath: { path: '/i/vm' } });
    const kube = new MemoryApiServer(PODS);
    const request = (asked: KubeRequest) => (asked.path.includes('persistentvolume') ? api.request(asked) : kube.client.request(asked));
    const pod = podObject({ namespace: 'ns', hostPaths: [], ...(annotations && { annotations }) }) as unknown as { spec: object };
    const container = { name: 'main', volumeMounts: ['v', 'scratch'].map((name) => ({ name, mountPath: `/${name}` })) };
    kube.put(PODS, { ...pod, ...over, spec: { ...pod.spec, containers: [container], volumes: [{ name: 'v', ...volume }] } } as never);
    const source = createPodSource({
      ...POD_RULES,
      client: { ...kube.client, request, stream: (asked) => kube.client.stream(asked) },
      nodeName: 'node-a',
      instancesPath: '/i',
      readsClaims: true,
      clock: manualClock(),
      random: () => 0,
      sleep: manualSleep().sleep,
    });
    source.start();
    await settle();
    const found = await source.read({ consistent: true });
    const { asked } = api;
    await source.stop();
    return { ...found, asked };
  }

  it.each([{ persistentVolumeClaim: { claimName: 'data' } }, { ephemeral: { volumeClaimTemplate: {} }, name: 'scratch' }])(
    'should hold as with a hostPath: %j',
    async (volume) => {
      const { gaps } = await reading(volume);
      expect(gaps.map(({ kind, message }) => [kind, message.includes('/i/vm')])).toEqual([['UnmappedWorkload', true]]);
    },
  );

  it('should be believed where it is annotated, and keep what it mounts', async () => {
    const { gaps, workloads } = await reading({ persistentVolumeClaim: { claimName: 'data' } }, { 'basekeeper.io/image-ref': 'x' });
    expect([gaps, workloads]).toMatchObject([[], [{ images: [{ ref: 'x' }], paths: ['/i/vm'] }]]);
  });

  it('should not be asked about once it has ended', async () => {
    const { gaps, asked } = await reading({ persistentVolumeClaim: { claimName: 'data' } }, undefined, { status: { phase: 'Succeeded' } });
    expect([gaps, asked]).toEqual([[], []]);
  });
});
