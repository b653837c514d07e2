import { describe, expect, it, vi } from 'vitest';
import { createMembership, type MembershipParts } from '../../../src/shared-storage/membership.ts';
import type { HostReport } from '../../../src/model/host-report.ts';
import { hostReport } from '../../../src/shared-storage/host-report.ts';
import { memoryStorageRegistry } from '../../helpers/memory-registry.ts';
import { memorySource } from '../../helpers/memory-source.ts';
import { NOW_MS } from '../../helpers/snapshot.ts';

function setUp(over: Partial<MembershipParts> = {}) {
  let nowMs = NOW_MS;
  const clock = { now: () => ({ wallMs: nowMs, monotonicMs: nowMs - NOW_MS }) };
  const registry = memoryStorageRegistry();
  const source = memorySource({ clock });
  const published: HostReport[] = [];
  const warnings: string[] = [];
  const membership = createMembership({
    host: 'host-a',
    hostTimeoutSeconds: 86_400,
    registry,
    sources: [source],
    reportOf: (takenAtMs, readings, at) =>
      hostReport(
        {
          host: 'host-a',
          takenAtMs,
          onlyByReport: false,
          instancesPath: '/i',
          subdirectoryName: '_base',
          pins: { imageRefs: [], fileNames: [] },
        },
        readings,
        at,
      ),
    publish: (report) => {
      published.push(report);
      return undefined;
    },
    clock,
    logger: { debug: () => {}, info: () => {}, error: () => {}, warn: (_, message) => void warnings.push(message) },
    reportIntervalMs: 1,
    ...over,
  });
  const registeredAt = async (): Promise<number | undefined> => (await registry.read()).hosts.get('host-a');
  return { membership, registry, source, published, warnings, registeredAt, pass: (ms: number) => (nowMs += ms) };
}

/** Starts it, and stops it when the condition holds. */
async function run(membership: ReturnType<typeof createMembership>, until: () => Promise<void> | void): Promise<void> {
  membership.start();
  try {
    await vi.waitFor(until, { timeout: 30_000, interval: 1 });
  } finally {
    await membership.stop();
  }
}

describe('a host among those that share a directory', () => {
  it('should register at once, again after ten minutes, and not in between', async () => {
    const { membership, published, registeredAt, pass } = setUp();
    membership.start();
    await vi.waitFor(async () => expect(await registeredAt()).toBe(NOW_MS));
    pass(599_000);
    const count = published.length;
    await vi.waitFor(() => expect(published.length).toBeGreaterThan(count + 2));
    expect(await registeredAt()).toBe(NOW_MS);
    pass(1000);
    await vi.waitFor(async () => expect(await registeredAt()).toBe(NOW_MS + 600_000));
    await membership.stop();
  });

  it('should register more often where registrations count for less', async () => {
    const { membership, registeredAt, pass } = setUp({ hostTimeoutSeconds: 600 });
    membership.start();
    await vi.waitFor(async () => expect(await registeredAt()).toBe(NOW_MS));
    pass(150_000);
    await vi.waitFor(async () => expect(await registeredAt()).toBe(NOW_MS + 150_000));
    await membership.stop();
  });

  it('should report what its sources know, dated before it asked them', async () => {
    const { membership, source, published } = setUp();
    source.put({ name: 'vm-1' });
    await run(membership, () => expect(published.at(-1)?.workloads).toMatchObject([{ name: 'vm-1' }]));
    expect(published.at(-1)).toMatchObject({ host: 'host-a', takenAtMs: NOW_MS, incomplete: [] });
  });

  it('should keep its last report while a source is being listed, and say so when one has failed', async () => {
    const syncing = {
      ...memorySource(),
      read: async () => ({ status: { ...STATUS, state: 'syncing' as const }, workloads: [], gaps: [] }),
    };
    const { membership, published, registeredAt } = setUp({ sources: [syncing] });
    await run(membership, async () => expect(await registeredAt()).toBe(NOW_MS));
    expect(published).toEqual([]);
    const failing = setUp();
    failing.source.fail('no answer');
    await run(failing.membership, () => expect(failing.published.at(-1)?.incomplete).toEqual(['source memory is failed: no answer']));
  });

  it('should tell why it could not register, once, and try again at each turn until it can', async () => {
    const { membership, registry, warnings, registeredAt } = setUp();
    registry.breakDown('compute_nodes: it is empty');
    membership.start();
    const problem = 'host "host-a" could not be registered: compute_nodes: it is empty';
    await vi.waitFor(() => expect(membership.problem()).toBe(problem));
    await membership.register();
    expect(warnings).toEqual(['host "host-a" could not be registered']);
    registry.breakDown(undefined);
    await vi.waitFor(async () => expect(await registeredAt()).toBe(NOW_MS));
    await vi.waitFor(() => expect(membership.problem()).toBeUndefined());
    await membership.stop();
  });

  it('should go on when a report cannot be written', async () => {
    let fails = true;
    const written: HostReport[] = [];
    const publish = (report: HostReport): undefined => {
      if (fails) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
      written.push(report);
    };
    const { membership, warnings } = setUp({ publish });
    membership.start();
    await vi.waitFor(() => expect(warnings).toEqual(['the report of host "host-a" could not be written']));
    expect(membership.problem()).toBeUndefined();
    fails = false;
    await vi.waitFor(() => expect(written.length).toBeGreaterThan(0));
    await membership.stop();
  });

  it('should say while others may have read a report that is not its own', async () => {
    let stranger: string | undefined = 'somebody else has written it';
    const { membership, warnings } = setUp({ publish: () => stranger });
    membership.start();
    const problem = 'the report of host "host-a" was replaced: somebody else has written it';
    await vi.waitFor(() => expect(membership.problem()).toBe(problem));
    expect(warnings).toEqual(['the report of host "host-a" was replaced']);
    stranger = undefined;
    await vi.waitFor(() => expect(membership.problem()).toBeUndefined());
    await membership.stop();
  });
});

const STATUS = { name: 'pods', lastContactMs: undefined, freshLimitMs: 60_000, consistentListAtMs: undefined };
