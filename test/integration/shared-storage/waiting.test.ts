import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostReport } from '../../../src/shared-storage/host-report.ts';
import { createSharedStorageSource } from '../../../src/shared-storage/source.ts';
import { memoryStorageRegistry } from '../../helpers/memory-registry.ts';
import { manualClock } from '../../helpers/reflector-harness.ts';
import { workload } from '../../helpers/snapshot.ts';
import { buildTree } from '../../helpers/tree.ts';

const START_MS = Date.UTC(2026, 10, 23, 14, 0, 0);

/** What host-a learns of host-b, which tells of its workloads by reports alone. */
function setUp() {
  const tree = buildTree({ locks: { directory: true } });
  onTestFinished(tree.cleanup);
  const clock = manualClock(START_MS);
  const registry = memoryStorageRegistry({ 'host-a': START_MS, 'host-b': START_MS });
  let onLook = (): void => undefined;
  const source = createSharedStorageSource({
    hostName: 'host-a',
    hostNamePattern: '$(NODE_NAME)',
    hostTimeoutSeconds: 86_400,
    staleHosts: 'hold',
    settleSeconds: 0,
    ignoredHosts: [],
    hostInstancesPath: '/i',
    subdirectoryName: '_base',
    needsInstanceNames: false,
    instancesPath: tree.instancesPath,
    locksPath: tree.path('locks'),
    registry: {
      ...registry,
      read: async (signal) => {
        onLook();
        return await registry.read(signal);
      },
    },
    needsReports: true,
    registrationProblem: () => undefined,
    clock,
  });
  /** As the agent of host-b writes it. */
  const tell = (image: string, clockAheadMs = 0): void => {
    const takenAtMs = clock.now().wallMs + clockAheadMs;
    const status = {
      name: 'file',
      state: 'synced',
      lastContactMs: takenAtMs,
      freshLimitMs: 60_000,
      consistentListAtMs: undefined,
    } as const;
    const workloads = [workload({ name: 'vm-b', images: [{ role: 'image', ref: image }] })];
    const facts = {
      host: 'host-b',
      takenAtMs,
      onlyByReport: true,
      instancesPath: '/i',
      subdirectoryName: '_base',
      pins: { imageRefs: [], fileNames: [] },
    };
    const text = JSON.stringify(hostReport(facts, [{ status, workloads, gaps: [] }], takenAtMs));
    writeFileSync(tree.path('locks/basekeeper-host-host-b.json'), text);
  };
  /** So often that it would have ended, had it a reason to. */
  const hasLookedAgain = async (): Promise<'looked again'> => {
    const { promise, resolve } = Promise.withResolvers<'looked again'>();
    let looks = 0;
    onLook = () => {
      if (++looks === 4) resolve('looked again');
    };
    return await promise;
  };
  const stateOf = ({ sharedStorage }: Awaited<ReturnType<typeof source.read>>) =>
    sharedStorage?.hosts.find(({ name }) => name === 'host-b');
  return { source, clock, tell, hasLookedAgain, stateOf };
}

describe('a consistent look at another host that reports', () => {
  it('should wait for a report that was made after it began', async () => {
    const { source, clock, tell, hasLookedAgain, stateOf } = setUp();
    tell('an old image');
    clock.advance(1000);
    const asked = source.read({ consistent: true });
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    tell('a new image');
    const reading = await asked;
    expect(stateOf(reading)).toMatchObject({ state: 'known' });
    expect(reading.workloads.flatMap(({ images }) => images.map(({ ref }) => ref))).toEqual(['a new image']);
    expect(reading.status.consistentListAtMs).toBe(START_MS + 1000);
  });

  it('should take an older report for none when no other comes in time', async () => {
    const { source, clock, tell, hasLookedAgain, stateOf } = setUp();
    tell('an image');
    clock.advance(1000);
    const asked = source.read({ consistent: true });
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    clock.advance(45_000);
    expect(await Promise.race([asked.then(stateOf), hasLookedAgain()])).toMatchObject({
      state: 'unknown',
      message: expect.stringContaining('has not reported since this pass began') as string,
    });
  });

  it('should end at once when it is given up, with the older report for none', async () => {
    const { source, clock, tell, hasLookedAgain, stateOf } = setUp();
    tell('an image');
    clock.advance(1000);
    const pass = new AbortController();
    const asked = source.read({ consistent: true, signal: pass.signal });
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    pass.abort();
    expect(await Promise.race([asked.then(stateOf), hasLookedAgain()])).toMatchObject({ state: 'unknown' });
  });

  it('should not take a report for newer that lies in the future, but never changes', async () => {
    const { source, clock, tell, hasLookedAgain, stateOf } = setUp();
    tell('an image', 50_000);
    clock.advance(1000);
    const asked = source.read({ consistent: true });
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    clock.advance(45_000);
    expect(await Promise.race([asked.then(stateOf), hasLookedAgain()])).toMatchObject({ state: 'unknown' });
  });

  it('should wait for two reports of a host whose clock is behind, and not for ever', async () => {
    const { source, clock, tell, hasLookedAgain, stateOf } = setUp();
    tell('an old image', -55_000);
    clock.advance(1000);
    const asked = source.read({ consistent: true });
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    clock.advance(5000);
    tell('begun before we asked', -55_000);
    expect(await Promise.race([asked, hasLookedAgain()])).toBe('looked again');
    clock.advance(5000);
    tell('begun after we asked', -55_000);
    const reading = await asked;
    expect(stateOf(reading)).toMatchObject({ state: 'known' });
    expect(reading.workloads.flatMap(({ images }) => images.map(({ ref }) => ref))).toEqual(['begun after we asked']);
    expect(reading.status.consistentListAtMs).toBeGreaterThanOrEqual(START_MS + 1000);
  });

  it('should not wait where it need not be consistent', async () => {
    const { source, clock, tell, stateOf } = setUp();
    tell('an image');
    clock.advance(1000);
    expect(stateOf(await source.read({ consistent: false }))).toMatchObject({ state: 'known' });
  });
});
