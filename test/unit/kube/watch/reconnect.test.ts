import { afterEach, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../../src/kube/errors.ts';
import { createReconnect } from '../../../../src/kube/watch/reconnect.ts';
import { DEFAULT_REFLECTOR_TIMING } from '../../../../src/kube/watch/timing.ts';
import { MemoryApiServer } from '../../../helpers/memory-api-server.ts';
import { PODS, VMIS, harness, manualClock, object, settle, type ReflectorHarness } from '../../../helpers/reflector-harness.ts';

const started: ReflectorHarness[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(async ({ reflector }) => await reflector.stop()));
});

const lost = (): KubeApiError => new KubeApiError({ reason: 'ConnectionFailed', message: 'connection reset' });

/** Two reflectors of one connection, which then breaks. The pods' watch is the first to ask when to come back. */
async function brokenPair(kube: MemoryApiServer) {
  const clock = manualClock();
  const reconnect = createReconnect(
    () => clock.now().monotonicMs,
    () => 0.5,
  );
  const pods = harness(kube, { reconnect });
  const vmis = harness(kube, { reconnect, path: VMIS });
  started.push(pods, vmis);
  for (const { reflector } of [pods, vmis]) reflector.start();
  await settle();
  kube.endWatches(PODS, lost());
  await settle();
  kube.endWatches(VMIS, lost());
  await settle();
  return { pods, vmis, clock };
}

/** What was asked for since the last time, such as `watch pods`. */
function taken(kube: MemoryApiServer): string[] {
  return kube.requests.splice(0).map(({ path, query }) => `${query?.['watch'] === 'true' ? 'watch' : 'list'} ${path.split('/').at(-1)}`);
}

describe('coming back after a broken connection', () => {
  it('should be at one time, drawn once, for all watches that lost it; the first goes ahead', () => {
    let now = 1000;
    const draws = [0.5, 0.9];
    const reconnect = createReconnect(
      () => now,
      () => draws.shift() ?? 0,
    );
    expect(reconnect.delayMs(DEFAULT_REFLECTOR_TIMING)).toBe(31_000);
    // Anyone who comes after the first follows it by a second.
    expect(reconnect.delayMs(DEFAULT_REFLECTOR_TIMING)).toBe(32_000);
    now += 10_000;
    expect(reconnect.delayMs(DEFAULT_REFLECTOR_TIMING)).toBe(22_000);
    now += 20_900;
    expect(reconnect.delayMs(DEFAULT_REFLECTOR_TIMING)).toBe(2000);
    // The next break is another one.
    now += 1000;
    expect(reconnect.delayMs(DEFAULT_REFLECTOR_TIMING)).toBe(55_000);
  });

  it('should be spread evenly over a minute in a fleet', () => {
    const agents = Array.from({ length: 6000 }, (_, index) =>
      createReconnect(
        () => 0,
        () => index / 6000,
      ).delayMs(DEFAULT_REFLECTOR_TIMING),
    );
    for (let second = 1; second < 61; second++) {
      const within = agents.filter((ms) => ms >= second * 1000 && ms < (second + 1) * 1000);
      expect(Math.abs(within.length - 100)).toBeLessThanOrEqual(1);
    }
  });
});

describe('an API server that has no past any more', () => {
  it('should be asked once: the other watches of the connection list at once', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { pods, vmis } = await brokenPair(kube);
    expect([pods.delays.asked, vmis.delays.asked]).toEqual([[31_000], [32_000]]);
    kube.put(PODS, object('a'));
    kube.put(VMIS, object('vm'));
    kube.compact();
    taken(kube);
    pods.delays.wake();
    await settle();
    vmis.delays.wake();
    await settle();
    expect(taken(kube)).toEqual(['watch pods', 'list virtualmachineinstances', 'watch virtualmachineinstances']);
    pods.delays.wake();
    await settle();
    expect(taken(kube)).toEqual(['list pods', 'watch pods']);
    expect([pods.names(), vmis.names()]).toEqual([['name-a'], ['name-vm']]);
  });

  it('should be listed once, however often the watch after that list fails', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { pods, vmis } = await brokenPair(kube);
    kube.put(PODS, object('a'));
    kube.compact();
    pods.delays.wake();
    await settle();
    taken(kube);
    kube.intercept = ({ query }) => {
      if (query?.['watch'] === 'true') throw new KubeApiError({ status: 429, reason: 'TooManyRequests', message: 'busy' });
    };
    for (let attempt = 0; attempt < 3; attempt++) {
      vmis.delays.wake();
      await settle();
    }
    expect(taken(kube)).toEqual([
      'list virtualmachineinstances',
      'watch virtualmachineinstances',
      'watch virtualmachineinstances',
      'watch virtualmachineinstances',
    ]);
  });

  it('should not be taken for one after another break', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const { pods, vmis, clock } = await brokenPair(kube);
    kube.put(PODS, object('a'));
    kube.compact();
    for (let turn = 0; turn < 2; turn++) {
      for (const { delays } of [pods, vmis]) delays.wake();
      await settle();
    }
    kube.bookmark(PODS);
    kube.bookmark(VMIS);
    await settle();
    taken(kube);
    clock.advance(120_000);
    for (const path of [PODS, VMIS]) kube.endWatches(path, lost());
    await settle();
    for (const { delays } of [pods, vmis]) delays.wake();
    await settle();
    expect(taken(kube)).toEqual(['watch pods', 'watch virtualmachineinstances']);
  });

  it('should cost the others nothing where one watch alone fell behind', async () => {
    const kube = new MemoryApiServer(PODS, VMIS);
    const clock = manualClock();
    const reconnect = createReconnect(
      () => clock.now().monotonicMs,
      () => 0.5,
    );
    const pods = harness(kube, { reconnect });
    started.push(pods);
    pods.reflector.start();
    await settle();
    kube.send(PODS, { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
    await settle();
    expect(reconnect.isPastLost()).toBe(false);
  });
});
