import { createApiPresence } from '../../src/kube/discovery/api-presence.ts';
import { createReflector } from '../../src/kube/watch/reflector.ts';
import type { Reflector, ReflectorOptions } from '../../src/kube/watch/options.ts';
import type { ClockReading } from '../../src/model/snapshot.ts';
import type { KubeObject, MemoryApiServer } from './memory-api-server.ts';

export const PODS = '/api/v1/pods';
export const VMIS = '/apis/kubevirt.io/v1/virtualmachineinstances';

export function object(uid: string, extra: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { metadata: { name: `name-${uid}`, namespace: 'default', uid, ...extra } };
}

/** A clock that stands still until a test moves it. */
export function manualClock(start = 1_000_000) {
  let wallMs = start;
  let monotonicMs = 1000;
  return {
    now: (): ClockReading => ({ wallMs, monotonicMs }),
    advance: (ms: number): void => {
      wallMs += ms;
      monotonicMs += ms;
    },
    /** Sets the wall clock forward or back, as an operator or NTP may. */
    set: (byMs: number): void => {
      wallMs += byMs;
    },
  };
}

/** Delays that a test sees, and ends when it likes. */
export function manualSleep() {
  const pending: { left: number; readonly wake: () => void }[] = [];
  const asked: number[] = [];
  return {
    asked,
    sleep: async (ms: number, signal: AbortSignal): Promise<void> => {
      asked.push(ms);
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry = { left: ms, wake: resolve };
      pending.push(entry);
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      pending.splice(pending.indexOf(entry), 1);
    },
    wake: (): void => {
      for (const { wake } of pending) wake();
    },
    /** Ends the delays that are over after so much time. */
    passed: (ms: number): void => {
      for (const entry of pending) {
        entry.left -= ms;
        if (entry.left <= 0) entry.wake();
      }
    },
    sleeping: (): number => pending.length,
  };
}

/** Lets everything that needs no timer happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

export interface ReflectorHarness {
  readonly reflector: Reflector<string>;
  readonly clock: ReturnType<typeof manualClock>;
  readonly delays: ReturnType<typeof manualSleep>;
  readonly removed: string[];
  /** Names, sorted. */
  readonly names: () => string[];
}

/** A reflector over names, with clock and delays in the test's hand. */
export function harness(kube: MemoryApiServer, options: Partial<ReflectorOptions<string>> = {}): ReflectorHarness {
  const clock = manualClock();
  const delays = manualSleep();
  const removed: string[] = [];
  const path = options.path ?? PODS;
  const presence = createApiPresence({
    client: kube.client,
    group: 'kubevirt.io',
    version: 'v1',
    resource: 'virtualmachineinstances',
    now: () => clock.now().monotonicMs,
  });
  const reflector = createReflector<string>({
    client: kube.client,
    path,
    select: (raw) => (raw as KubeObject).metadata.name,
    clock,
    random: () => 0.5,
    sleep: delays.sleep,
    onRemoved: (item, by) => removed.push(`${item} ${by}`),
    ...(path === VMIS ? { presence } : {}),
    ...options,
  });
  return { reflector, clock, delays, removed, names: () => [...reflector.items()].toSorted() };
}
