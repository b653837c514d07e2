import { afterEach, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../../src/kube/errors.ts';
import { MemoryApiServer } from '../../../helpers/memory-api-server.ts';
import { PODS, VMIS, harness, object, settle, type ReflectorHarness } from '../../../helpers/reflector-harness.ts';

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

describe('a reflector', () => {
  it('should list from the cache of the API server first, then watch from there with bookmarks', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('a'));
    const { names, reflector } = await start(kube, { query: { fieldSelector: 'metadata.name=name-a' } });

    expect(names()).toEqual(['name-a']);
    expect(reflector.status()).toMatchObject({ state: 'synced', lastContactMs: 1_000_000 });
    expect(kube.requests.map(({ query }) => query)).toEqual([
      { fieldSelector: 'metadata.name=name-a', resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' },
      {
        fieldSelector: 'metadata.name=name-a',
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: '101',
        timeoutSeconds: '450',
      },
    ]);
  });

  it('should follow objects that come, change and go', async () => {
    const kube = new MemoryApiServer(PODS);
    const { names, removed } = await start(kube);

    kube.put(PODS, object('a'));
    kube.put(PODS, object('b'));
    await settle();
    expect(names()).toEqual(['name-a', 'name-b']);

    kube.put(PODS, object('a', { name: 'renamed' }));
    kube.remove(PODS, 'b');
    await settle();
    expect(names()).toEqual(['renamed']);
    expect(removed).toEqual(['name-b watch']);
  });

  it('should tell an object that was recreated under its name from the one before', async () => {
    const kube = new MemoryApiServer(PODS);
    kube.put(PODS, object('old', { name: 'vm' }));
    const { reflector } = await start(kube);

    kube.remove(PODS, 'old');
    kube.put(PODS, object('new', { name: 'vm' }));
    await settle();
    expect([reflector.get('old'), reflector.get('new')]).toEqual([undefined, 'vm']);
  });

  it('should keep only what is selected, and drop an object that no longer is', async () => {
    const kube = new MemoryApiServer(PODS);
    const select = (raw: unknown): string | undefined => (JSON.stringify(raw).includes('wanted') ? 'wanted' : undefined);
    const { names } = await start(kube, { select });

    kube.put(PODS, object('a', { labels: { is: 'wanted' } }));
    kube.put(PODS, object('b'));
    await settle();
    expect(names()).toEqual(['wanted']);
    kube.put(PODS, object('a'));
    await settle();
    expect(names()).toEqual([]);
  });

  it('should count a bookmark as contact and resume after it', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { reflector, clock } = await start(kube);
    kube.put(VMIS, object('elsewhere'));

    clock.advance(60_000);
    kube.bookmark(PODS);
    await settle();
    expect(reflector.status().lastContactMs).toBe(1_060_000);

    clock.advance(450_000);
    kube.endWatches(PODS);
    await settle();
    expect(kube.requests.at(-1)?.query).toMatchObject({ watch: 'true', resourceVersion: '101' });
  });

  it('should watch on at once, without a list, when a watch ends because its time is over', async () => {
    const kube = new MemoryApiServer(PODS);
    const { clock, delays } = await start(kube);
    clock.advance(450_000);
    kube.endWatches(PODS);
    await settle();

    expect(delays.asked).toEqual([]);
    expect(kube.requests.filter(({ query }) => query?.['watch'] === 'true')).toHaveLength(2);
    expect(kube.requests).toHaveLength(3);
  });

  it('should draw the time of a watch from 300 to 600 s', async () => {
    const drawn = await Promise.all(
      [0, 0.999_999].map(async (value) => {
        const kube = new MemoryApiServer(PODS);
        await start(kube, { random: () => value });
        return kube.requests.at(-1)?.query?.['timeoutSeconds'];
      }),
    );
    expect(drawn).toEqual(['300', '600']);
  });

  it('should read the first list page by page only where it reads with quorum', async () => {
    const kube = new MemoryApiServer(PODS);
    for (const uid of ['a', 'b', 'c', 'd', 'e']) kube.put(PODS, object(uid));
    const { reflector, names } = await start(kube, { timing: { pageSize: 2 } });
    const before = kube.requests.length;

    expect(await reflector.listConsistent(undefined)).toBe(true);
    expect(names()).toHaveLength(5);
    expect(kube.requests.slice(before).map(({ query }) => query)).toEqual([
      { limit: '2' },
      { limit: '2', continue: '2' },
      { limit: '2', continue: '4' },
    ]);
  });

  it('should call back after changes only', async () => {
    const kube = new MemoryApiServer(PODS);
    let calls = 0;
    await start(kube, { onChange: () => (calls += 1) });
    expect(calls).toBe(1);
    kube.bookmark(PODS);
    kube.put(PODS, object('a'));
    await settle();
    expect(calls).toBe(2);
  });
});

describe('stopping', () => {
  it('should ask for nothing more, whatever was under way', async () => {
    const kube = new MemoryApiServer(PODS);
    const listing = harness(kube);
    const held = Promise.withResolvers<void>();
    kube.intercept = async () => await held.promise;
    listing.reflector.start();
    await settle();
    const stopped = listing.reflector.stop();
    held.resolve();
    await stopped;
    expect(kube.requests).toHaveLength(1);

    kube.intercept = () => undefined;
    const watching = await start(kube);
    await watching.reflector.stop();
    await settle();
    expect(kube.openWatches(PODS)).toBe(0);
    expect(kube.requests).toHaveLength(3);
  });

  it('should end a pause, and open no watch after it', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays } = await start(kube);
    kube.endWatches(PODS, lost());
    await settle();
    expect(delays.sleeping()).toBe(1);
    await reflector.stop();
    await settle();
    expect(kube.requests).toHaveLength(2);
    expect(await reflector.listConsistent(undefined)).toBe(false);
  });

  it('should do nothing when it was never started', async () => {
    const kube = new MemoryApiServer(PODS);
    await harness(kube).reflector.stop();
    expect(kube.requests).toEqual([]);
  });
});

describe('an API that a cluster may lack', () => {
  const probes = (kube: MemoryApiServer): number => kube.requests.filter(({ path }) => path === '/apis').length;

  it('should be absent, not failed, when discovery confirms the 404', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays } = await start(kube, { path: VMIS });
    expect(reflector.status()).toMatchObject({ state: 'absent', message: undefined, freshLimitMs: 600_000 });
    expect(delays.asked).toEqual([220_000]);
  });

  it('should be looked for again by one cheap request, and picked up when it appears', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays, clock, names } = await start(kube, { path: VMIS });
    for (let round = 0; round < 3; round++) {
      clock.advance(220_000);
      delays.wake();
      await settle();
    }
    expect(reflector.status()).toMatchObject({ state: 'absent', lastContactMs: 1_660_000 });
    expect(kube.requests.filter(({ path }) => path === VMIS)).toHaveLength(1);
    expect(probes(kube)).toBe(4);

    kube.serve(VMIS);
    kube.put(VMIS, object('vm'));
    clock.advance(220_000);
    delays.wake();
    await settle();
    expect(reflector.status().state).toBe('synced');
    expect(names()).toEqual(['name-vm']);
  });

  it('should be unknown, not absent, while what has appeared is being listed', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, delays, clock } = await start(kube, { path: VMIS });
    kube.serve(VMIS);
    const held = Promise.withResolvers<void>();
    kube.intercept = async ({ path }) => {
      if (path === VMIS) await held.promise;
    };
    clock.advance(220_000);
    delays.wake();
    await settle();
    expect(reflector.status().state).toBe('syncing');
    held.resolve();
    await settle();
    expect(reflector.status().state).toBe('synced');
  });

  it('should take its objects along when it goes away', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, object('vm'));
    const { reflector, names, delays, removed } = await start(kube, { path: VMIS });
    expect(names()).toEqual(['name-vm']);

    kube.withdraw(VMIS);
    await settle();
    delays.wake();
    await settle();
    expect(reflector.status().state).toBe('absent');
    expect([names(), removed]).toEqual([[], ['name-vm list']]);
  });

  it.each([
    ['discovery still has it', (): void => undefined],
    [
      'discovery does not answer',
      (): void => {
        throw new KubeApiError({ status: 503, reason: 'ServiceUnavailable', message: 'starting' });
      },
    ],
    [
      'discovery answers with something else',
      (): void => {
        throw new KubeApiError({ reason: 'InvalidResponse', message: 'no JSON' });
      },
    ],
  ])('should keep its objects at a 404 while %s', async (_case, discovery) => {
    const kube = new MemoryApiServer(PODS, VMIS);
    kube.put(VMIS, object('vm'));
    const { reflector, names, delays } = await start(kube, { path: VMIS });
    kube.intercept = ({ path }) => {
      if (path === VMIS) throw new KubeApiError({ status: 404, reason: 'NotFound', message: 'page not found' });
      discovery();
    };
    kube.endWatches(VMIS);
    await settle();
    delays.wake();
    await settle();
    expect(names()).toEqual(['name-vm']);
    expect(reflector.status().state).not.toBe('absent');
    expect(reflector.status().message).toBeDefined();
  });

  it('should be found by a consistent list before the next probe is due', async () => {
    const kube = new MemoryApiServer(PODS);
    const { reflector, names, clock } = await start(kube, { path: VMIS });
    clock.advance(1);
    expect(await reflector.listConsistent(undefined)).toBe(true);
    expect(reflector.status()).toMatchObject({ state: 'absent', consistentListAtMs: 1_000_001 });

    clock.advance(1);
    kube.serve(VMIS);
    kube.put(VMIS, object('vm'));
    expect(await reflector.listConsistent(undefined)).toBe(true);
    await settle();
    expect([reflector.status().state, names(), kube.openWatches(VMIS)]).toEqual(['synced', ['name-vm'], 1]);
  });
});
