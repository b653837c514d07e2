import { afterEach, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../../src/kube/errors.ts';
import type { KubeRequest } from '../../../../src/kube/types.ts';
import { MemoryApiServer } from '../../../helpers/memory-api-server.ts';
import { PODS, harness, object, settle, type ReflectorHarness } from '../../../helpers/reflector-harness.ts';

const started: ReflectorHarness[] = [];

async function start(kube: MemoryApiServer, options: Parameters<typeof harness>[1] = {}): Promise<ReflectorHarness> {
  const made = harness(kube, options);
  started.push(made);
  made.reflector.start();
  await settle();
  return made;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(async ({ reflector }) => await reflector.stop()));
});

const isQuorumList = ({ query }: KubeRequest): boolean => query?.['limit'] !== undefined;

/** Holds the answer of the next quorum list back: the list is taken, but arrives late. */
function delayLists(kube: MemoryApiServer): { release(): void } {
  const gate = Promise.withResolvers<void>();
  const request = kube.client.request.bind(kube.client);
  Object.assign(kube.client, {
    request: async (asked: KubeRequest) => {
      const answer = await request(asked);
      if (isQuorumList(asked)) await gate.promise;
      return answer;
    },
  });
  return { release: () => gate.resolve() };
}

describe('a consistent list', () => {
  it('should be a quorum read whose start is reported', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, clock } = await start(kube);
    kube.intercept = (request) => {
      if (isQuorumList(request)) clock.advance(700);
    };
    clock.advance(5000);
    expect(await reflector.listConsistent(undefined)).toBe(true);
    expect(kube.requests.at(-1)?.query).toEqual({ limit: '500' });
    expect(reflector.status()).toMatchObject({ consistentListAtMs: 1_005_000, lastContactMs: 1_005_700 });
  });

  it('should show what the watch has not shown yet, without interrupting it', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names, removed } = await start(kube);
    // The watch is behind: the events are only on their way.
    const stalled = kube.openWatches(PODS);
    kube.put(PODS, object('b'));
    kube.remove(PODS, 'a');
    await reflector.listConsistent(undefined);
    expect(names()).toEqual(['name-b']);
    await settle();
    expect([names(), removed]).toEqual([['name-b'], ['name-a list']]);
    expect([stalled, kube.openWatches(PODS)]).toEqual([1, 1]);
  });

  it('should not bring back what was deleted while it was under way', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names } = await start(kube);
    const lists = delayLists(kube);
    const listing = reflector.listConsistent(undefined);
    await settle();
    kube.remove(PODS, 'a');
    await settle();
    lists.release();
    await listing;
    expect(names()).toEqual([]);
  });

  it('should not take away or turn back what came or changed while it was under way', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names } = await start(kube);
    const lists = delayLists(kube);
    const listing = reflector.listConsistent(undefined);
    await settle();
    kube.put(PODS, object('a', { name: 'changed' }));
    kube.put(PODS, object('b'));
    await settle();
    lists.release();
    await listing;
    expect(names()).toEqual(['changed', 'name-b']);
  });

  it('should not be undone by events that are older than it', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, names } = await start(kube);
    kube.put(PODS, object('a'));
    kube.remove(PODS, 'a');
    kube.put(PODS, object('b'));
    await reflector.listConsistent(undefined);
    kube.send(PODS, { type: 'ADDED', object: { metadata: { name: 'late', uid: 'a', resourceVersion: '101' } } });
    await settle();
    expect(names()).toEqual(['name-b']);
  });

  it('should be resumed from by the next watch', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, clock } = await start(kube);
    kube.endWatches(PODS, new KubeApiError({ reason: 'ConnectionFailed', message: 'reset' }));
    await settle();
    kube.put(PODS, object('a'));
    await reflector.listConsistent(undefined);
    await settle();
    // It also ends the pause that the broken watch had begun: the API server answers.
    expect(kube.requests.at(-1)?.query).toMatchObject({ watch: 'true', resourceVersion: '101' });
    clock.advance(1);
  });

  it('should start the watch again when the API server went back in time', async () => {
    const kube = new MemoryApiServer(PODS);
    for (const uid of ['a', 'b', 'c']) kube.put(PODS, object(uid));
    const { reflector, names } = await start(kube);
    kube.rollBack(2);
    expect(await reflector.listConsistent(undefined)).toBe(true);
    await settle();
    expect(kube.requests.at(-1)?.query).toMatchObject({ watch: 'true', resourceVersion: '101' });
    kube.put(PODS, object('d'));
    await settle();
    expect(names()).toContain('name-d');
  });

  it('should make a reflector that has no watch yet synced', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names } = harness(kube);
    expect(reflector.status().state).toBe('syncing');
    expect(await reflector.listConsistent(undefined)).toBe(true);
    expect([reflector.status().state, names(), kube.openWatches(PODS)]).toEqual(['synced', ['name-a'], 0]);
  });

  it('should spare the first list when it comes before it', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector } = harness(kube);
    const lists = delayLists(kube);
    const listing = reflector.listConsistent(undefined);
    await settle();
    reflector.start();
    lists.release();
    await listing;
    await settle();
    expect(kube.requests.map(({ query }) => query?.['limit'] ?? query?.['watch'])).toEqual(['500', 'true']);
    await reflector.stop();
  });

  it.each([-86_400_000, -10 * 365 * 86_400_000])('should stay as old as it is when the wall clock is set by %i ms', async (jumpMs) => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, clock } = await start(kube);
    await reflector.listConsistent(undefined);
    clock.advance(7000);
    clock.set(jumpMs);
    const agoMs = clock.now().wallMs - 7000;
    expect(reflector.status()).toMatchObject({ consistentListAtMs: agoMs, lastContactMs: agoMs });
  });

  it('should not seem newer than it is when the wall clock is set forward', async () => {
    const { reflector, clock } = await start(new MemoryApiServer(PODS));
    await reflector.listConsistent(undefined);
    clock.set(86_400_000);
    expect(reflector.status()).toMatchObject({ consistentListAtMs: 1_000_000, lastContactMs: 1_000_000 });
  });

  it('should keep the items and the time of the last one when it fails', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names, clock } = await start(kube);
    await reflector.listConsistent(undefined);
    clock.advance(1000);
    kube.intercept = () => {
      throw new KubeApiError({ status: 403, reason: 'Forbidden', message: 'no more' });
    };
    expect(await reflector.listConsistent(undefined)).toBe(false);
    expect(reflector.status()).toMatchObject({ state: 'failed', message: 'no more', consistentListAtMs: 1_000_000 });
    expect(names()).toEqual(['name-a']);
  });

  it('should be tried three times where another attempt may help', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays, clock } = await start(kube);
    let refusals = 2;
    kube.intercept = () => {
      if (refusals-- > 0) throw new KubeApiError({ status: 429, reason: 'TooManyRequests', message: 'busy', retryAfterSeconds: 1 });
    };
    const listing = reflector.listConsistent(undefined);
    for (let attempt = 0; attempt < 2; attempt++) {
      await settle();
      clock.advance(2000);
      delays.wake();
    }
    expect(await listing).toBe(true);
    expect(delays.asked).toEqual([3000, 4000]);
    // The start of the attempt that succeeded, not of the first one.
    expect(reflector.status()).toMatchObject({ consistentListAtMs: 1_004_000, message: undefined });
    refusals = 99;
    const failing = reflector.listConsistent(undefined);
    for (let attempt = 0; attempt < 2; attempt++) {
      await settle();
      delays.wake();
    }
    expect(await failing).toBe(false);
    expect(kube.requests.filter(isQuorumList)).toHaveLength(6);
  });

  it('should not wait for an attempt whose caller gives up', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays } = await start(kube);
    kube.intercept = () => {
      throw new KubeApiError({ reason: 'ConnectionFailed', message: 'reset' });
    };
    const caller = new AbortController();
    const listing = reflector.listConsistent(caller.signal);
    await settle();
    expect(delays.sleeping()).toBe(1);
    caller.abort();
    expect(await listing).toBe(false);
    expect(kube.requests.filter(isQuorumList)).toHaveLength(1);
  });

  it('should leave everything as it was when the caller gives up', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names } = await start(kube);
    expect(await reflector.listConsistent(AbortSignal.abort())).toBe(false);
    expect(reflector.status()).toMatchObject({ state: 'synced', message: undefined, consistentListAtMs: undefined });
    expect(names()).toEqual(['name-a']);
  });

  it('should be given up at once behind a list that hangs, which it does not overtake', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector } = await start(kube);
    const hanging = Promise.withResolvers<void>();
    kube.intercept = async () => await hanging.promise;
    const first = reflector.listConsistent(undefined);
    await settle();
    const caller = new AbortController();
    const answers: boolean[] = [];
    const second = reflector.listConsistent(caller.signal).then((answer) => answers.push(answer));
    caller.abort();
    await settle();
    const whileHanging = [[...answers], kube.requests.filter(isQuorumList).length];
    hanging.resolve();
    await second;
    expect(whileHanging).toEqual([[false], 1]);
    expect(await first).toBe(true);
    expect(await reflector.listConsistent(undefined)).toBe(true);
    expect(kube.requests.filter(isQuorumList)).toHaveLength(2);
  });

  it('should wait for its turn: no list overtakes another', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector } = await start(kube);
    let open = 0;
    let most = 0;
    kube.intercept = async () => {
      open += 1;
      most = Math.max(most, open);
      await settle();
      open -= 1;
    };
    await Promise.all([1, 2, 3].map(async () => await reflector.listConsistent(undefined)));
    expect(most).toBe(1);
    expect(kube.requests.filter(isQuorumList)).toHaveLength(3);
  });
});
