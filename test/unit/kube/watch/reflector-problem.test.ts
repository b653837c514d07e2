import { afterEach, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../../src/kube/errors.ts';
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

const lost = (): KubeApiError => new KubeApiError({ reason: 'ConnectionFailed', message: 'connection reset' });
const answered = (status: number, retryAfterSeconds?: number): KubeApiError =>
  new KubeApiError({ status, reason: String(status), message: `answered with ${status}`, retryAfterSeconds });

function refuse(kube: MemoryApiServer, error: Error): void {
  kube.intercept = () => {
    throw error;
  };
}

function allow(kube: MemoryApiServer): void {
  kube.intercept = () => undefined;
}

describe('a broken connection', () => {
  it.each([
    [0, 1000],
    [0.5, 31_000],
    [0.999_999, 61_000],
  ])('should be followed by an attempt somewhere in the next minute (random %d)', async (random, expected) => {
    const kube = new MemoryApiServer(PODS);
    const { delays } = await start(kube, { random: () => random });
    kube.endWatches(PODS, lost());
    await settle();
    expect(delays.asked.map(Math.round)).toEqual([expected]);
  });

  it('should be treated the same when the API server ends a watch before its time', async () => {
    const kube = new MemoryApiServer(PODS);
    const { delays, clock } = await start(kube);
    clock.advance(200_000);
    kube.endWatches(PODS);
    await settle();
    expect(delays.asked).toEqual([31_000]);
  });

  it('should lose nothing: the watch resumes where it was', async () => {
    const kube = new MemoryApiServer(PODS);
    const { delays, names } = await start(kube);
    kube.put(PODS, object('a'));
    await settle();
    kube.endWatches(PODS, lost());
    await settle();
    kube.put(PODS, object('b'));
    kube.remove(PODS, 'a');
    delays.wake();
    await settle();
    expect(names()).toEqual(['name-b']);
    expect(kube.requests).toHaveLength(3);
  });

  it('should leave what was synced synced, and say what happened', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector } = await start(kube);
    kube.endWatches(PODS, lost());
    await settle();
    expect(reflector.status()).toMatchObject({ state: 'synced', message: 'connection reset', lastContactMs: 1_000_000 });
  });
});

describe('backing off', () => {
  it('should grow with full jitter up to a minute, and never be faster than a second', async () => {
    const delaysWith = async (random: number): Promise<number[]> => {
      const kube = new MemoryApiServer(PODS);
      refuse(kube, answered(500));
      const { delays } = await start(kube, { random: () => random });
      for (let attempt = 0; attempt < 8; attempt++) {
        delays.wake();
        await settle();
      }
      return delays.asked;
    };
    expect(await delaysWith(0)).toEqual(Array.from({ length: 9 }, () => 1000));
    expect(await delaysWith(0.999_999_9)).toEqual([3000, 5000, 9000, 17_000, 33_000, 61_000, 61_000, 61_000, 61_000]);
  });

  it('should start again after data only: a list that succeeds is not enough', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.intercept = ({ query }) => {
      if (query?.['watch'] === 'true') throw answered(410);
    };
    const { delays, clock } = await start(kube, { random: () => 0.999_999_9 });
    for (let attempt = 0; attempt < 2; attempt++) {
      delays.wake();
      await settle();
    }
    expect(delays.asked).toEqual([3000, 5000, 9000]);

    allow(kube);
    delays.wake();
    await settle();
    kube.bookmark(PODS);
    await settle();
    clock.advance(1000);
    kube.endWatches(PODS, answered(500));
    await settle();
    expect(delays.asked).toEqual([3000, 5000, 9000, 3000]);
  });

  it('should count a watch that ends at once without data as a failure', async () => {
    const kube = new MemoryApiServer(PODS);
    const { delays } = await start(kube, { random: () => 0.999_999_9 });
    for (let attempt = 0; attempt < 3; attempt++) {
      kube.endWatches(PODS);
      await settle();
      delays.wake();
      await settle();
    }
    expect(delays.asked).toEqual([61_000, 5000, 9000]);
  });

  it('should wait for as long as Retry-After says, and some more', async () => {
    const kube = new MemoryApiServer(PODS);
    refuse(kube, answered(429, 20));
    const { delays, reflector } = await start(kube);
    expect(delays.asked).toEqual([22_000]);
    expect(reflector.status()).toMatchObject({ state: 'failed', message: 'answered with 429' });
  });

  it('should not believe a Retry-After of days', async () => {
    const kube = new MemoryApiServer(PODS);
    refuse(kube, answered(503, 999_999));
    const { delays } = await start(kube);
    expect(delays.asked).toEqual([602_000]);
  });
});

describe('a past that the API server has forgotten', () => {
  it('should be answered with a new list, which takes vanished objects away', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    kube.put(PODS, object('b'));
    const { names, removed, delays } = await start(kube);

    kube.endWatches(PODS, lost());
    await settle();
    kube.remove(PODS, 'a');
    kube.put(PODS, object('c'));
    kube.compact();
    delays.wake();
    await settle();
    delays.wake();
    await settle();
    expect(names()).toEqual(['name-b', 'name-c']);
    expect(removed).toEqual(['name-a list']);
    // From the cache, but nothing older than what was known.
    expect(kube.requests.at(-2)?.query).toEqual({ resourceVersion: '102', resourceVersionMatch: 'NotOlderThan' });
  });

  it.each([
    ['a 410 in the stream', { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }],
    ['any other error in the stream', { type: 'ERROR', object: { kind: 'Status', code: 500, message: 'etcd is gone' } }],
    ['an error without a word', { type: 'ERROR' }],
    ['an event of an unknown type', { type: 'SURPRISE', object: { metadata: { resourceVersion: '7', uid: 'x' } } }],
    ['an event without a version', { type: 'ADDED', object: { metadata: { uid: 'x' } } }],
    ['an event without a UID', { type: 'ADDED', object: { metadata: { resourceVersion: '7777' } } }],
    ['something that is not an event', [1, 2]],
  ])('should lead to a list after %s', async (_case, line) => {
    const kube = new MemoryApiServer(PODS);
    const { delays, names } = await start(kube);
    kube.send(PODS, line);
    await settle();
    expect(delays.sleeping()).toBe(1);
    kube.put(PODS, object('a'));
    delays.wake();
    await settle();
    const lists = kube.requests.filter(({ query }) => query?.['watch'] === undefined);
    expect([lists.length, kube.openWatches(PODS), names()]).toEqual([2, 1, ['name-a']]);
  });

  it('should be read with quorum when the cache has not what was seen', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { delays, names } = await start(kube);
    kube.rollBack(1);
    kube.send(PODS, { type: 'ERROR' });
    await settle();
    delays.wake();
    await settle();
    delays.wake();
    await settle();
    expect(kube.requests.map(({ query }) => query?.['resourceVersion'])).toEqual(['0', '101', '101', undefined, '100']);
    expect(names()).toEqual(['name-a']);
  });
});

describe('problem', () => {
  it.each([
    ['a refusal', answered(403), 'failed'],
    ['an overload', answered(429), 'synced'],
    ['a server error', answered(503), 'synced'],
  ])('should make a synced reflector tell %s', async (_case, error, state) => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { reflector, names } = await start(kube);
    kube.endWatches(PODS, error);
    await settle();
    expect(reflector.status()).toMatchObject({ state, message: error.message });
    expect(names()).toEqual(['name-a']);
  });

  it('should fail where there is no answer at first, and be over with the first list', async () => {
    const kube = new MemoryApiServer(PODS);
    refuse(kube, lost());
    const { reflector, delays } = await start(kube);
    expect(reflector.status()).toMatchObject({ state: 'failed', lastContactMs: undefined });
    allow(kube);
    delays.wake();
    await settle();
    expect(reflector.status()).toMatchObject({ state: 'synced', message: undefined });
  });

  it.each([['selecting'], ['calling back']])('should be status, not an exception, when %s throws', async (where) => {
    const kube = new MemoryApiServer(PODS);
    const fail = (): never => {
      throw new Error('a mistake of ours');
    };
    const options = where === 'selecting' ? { select: fail } : { onChange: fail };
    kube.put(PODS, object('a'));
    const { reflector } = await start(kube, options);
    expect(reflector.status()).toMatchObject({ state: 'failed', message: 'a mistake of ours' });
    expect(await reflector.listConsistent(undefined)).toBe(false);
  });
});
