import { describe, expect, it } from 'vitest';
import type { KubeRequest } from '../../../../src/kube/types.ts';
import type { Report } from '../../../../src/model/report.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { createKubeReporter, type KubeReporterOptions } from '../../../../src/report/node/kube-reporter.ts';
import { apiError, heldTiming, manualClock, memoryKube, memoryLogger, memoryTiming } from '../../../helpers/memory-kube.ts';
import { heldReport, later, missingBackingFile, plannedFile, report, undecidedReport } from '../../../helpers/reports.ts';

function setUp(over: Partial<KubeReporterOptions> = {}) {
  const kube = memoryKube();
  kube.putNode('node-1', 'uid-1');
  const node = kube.watchNode('node-1');
  const clock = manualClock();
  const logger = memoryLogger();
  const timing = memoryTiming();
  const reporter = createKubeReporter({
    client: kube,
    node,
    clock,
    logger,
    timing,
    instance: 'basekeeper-node-1',
    maxDelaySeconds: 0,
    ...over,
  });
  const publish = async (of: Report, runNowDone?: string): Promise<readonly KubeRequest[]> => {
    const before = kube.requests.length;
    await reporter.publish(of, digestOf(of), { runNowDone });
    await reporter.idle();
    return kube.requests.slice(before);
  };
  return { kube, node, clock, logger, timing, reporter, publish };
}

const NO_EVENTS = { events: false } as const;
const NO_ANNOTATIONS = { annotations: false } as const;

describe("writing the node's annotations", () => {
  it('should be one merge patch, with nothing read before', async () => {
    const { kube, publish } = setUp();
    expect(await publish(report())).toMatchObject([
      { method: 'PATCH', path: '/api/v1/nodes/node-1', contentType: 'application/merge-patch+json' },
    ]);
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/summary': '1 base file, 1.0 GiB' });
  });

  it('should not happen when nothing changed', async () => {
    const { publish } = setUp();
    await publish(report());
    expect(await publish(report({ takenAt: later(2400) }))).toEqual([]);
  });

  it('should not happen after a restart when the node says the same already', async () => {
    const { kube, publish } = setUp();
    await publish(report());
    const restarted = setUp({ client: kube, node: kube.watchNode('node-1') });
    await restarted.publish(report({ takenAt: later(60) }));
    expect(kube.requests).toHaveLength(1);
  });

  it('should happen at the heartbeat', async () => {
    const { publish } = setUp({ heartbeatSeconds: 600 });
    await publish(report());
    expect(await publish(report({ takenAt: later(600) }))).toHaveLength(1);
  });

  it('should wait until the node is known', async () => {
    const { kube, node, reporter, publish } = setUp(NO_EVENTS);
    kube.deleteNode('node-1');
    node.show();
    expect(await publish(report())).toEqual([]);
    kube.putNode('node-1', 'uid-1');
    node.show();
    await reporter.idle();
    expect(kube.requests).toHaveLength(1);
  });

  it('should happen again, with no pass between, when the node is recreated', async () => {
    const { kube, node, reporter, publish } = setUp(NO_EVENTS);
    await publish(report());
    node.show();
    kube.putNode('node-1', 'uid-2');
    node.show();
    await reporter.idle();
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/result': 'Succeeded' });
    expect(kube.requests).toHaveLength(2);
  });

  it('should take a node that does not exist for no failure', async () => {
    const { kube, logger, publish } = setUp(NO_EVENTS);
    kube.deleteNode('node-1');
    expect(await publish(report())).toHaveLength(1);
    expect(logger.lines).toEqual([]);
  });

  it('should put right with the next pass what somebody else changed', async () => {
    const { kube, node, publish } = setUp(NO_EVENTS);
    await publish(report());
    node.show();
    kube.putNode('node-1', 'uid-1', { 'basekeeper.io/summary': 'all is well' });
    node.show();
    expect(await publish(report({ takenAt: later(60) }))).toHaveLength(1);
  });

  it('should not be misled by a watch that shows the node as it was before', async () => {
    const { kube, node, publish } = setUp(NO_EVENTS);
    await publish(report());
    kube.putNode('node-1', 'uid-1', {});
    node.show();
    expect(await publish(report({ takenAt: later(60) }))).toEqual([]);
  });

  it('should leave alone what others wrote', async () => {
    const { kube, node, publish } = setUp(NO_EVENTS);
    kube.putNode('node-1', 'uid-1', { 'basekeeper.io/mode': 'enforce' });
    node.show();
    const patches = await publish(report());
    expect(JSON.stringify(patches)).toContain('basekeeper.io/result');
    expect(JSON.stringify(patches)).not.toContain('basekeeper.io/mode');
  });
});

describe('problems with the API server', () => {
  it.each([429, 500, 503, undefined])('should be met with patience when it answers %s', async (status) => {
    const { kube, timing, publish } = setUp(NO_EVENTS);
    let refusals = 2;
    kube.refuse = () => (refusals-- > 0 ? apiError(status) : undefined);
    expect(await publish(report())).toHaveLength(3);
    expect(timing.slept).toEqual([0, 2000, 3000]);
  });

  it('should be met with the patience that Retry-After asks for, and some jitter', async () => {
    const { kube, timing, publish } = setUp(NO_EVENTS);
    let refusals = 1;
    kube.refuse = () => (refusals-- > 0 ? apiError(429, 7) : undefined);
    await publish(report());
    expect(timing.slept).toEqual([0, 9000]);
  });

  it('should not be tried for ever', async () => {
    const { kube, logger, publish } = setUp(NO_EVENTS);
    kube.refuse = () => apiError(503);
    expect(await publish(report())).toHaveLength(6);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { error: 'answered 503' } }]);
  });

  it.each([400, 403, 422])('should not be tried again at once when it answers %i', async (status) => {
    const { kube, logger, publish } = setUp(NO_EVENTS);
    kube.refuse = () => apiError(status);
    expect(await publish(report())).toHaveLength(1);
    expect(logger.lines).toHaveLength(1);
    kube.refuse = () => undefined;
    expect(await publish(report({ takenAt: later(60) }))).toHaveLength(1);
  });

  it('should not become more while reports come in', async () => {
    const { kube, reporter } = setUp(NO_EVENTS);
    kube.refuse = () => apiError(503);
    for (let pass = 0; pass < 10; pass++) await reporter.publish(report(), digestOf(report()), {});
    await reporter.idle();
    expect(kube.requests).toHaveLength(12);
  });

  it('should end with the newest report on the node', async () => {
    const timing = heldTiming();
    const { kube, reporter } = setUp({ ...NO_EVENTS, timing, maxDelaySeconds: 10 });
    const show = (of: Report): Promise<void> => reporter.publish(of, digestOf(of), {});
    await show(report());
    await show(undecidedReport('Failed', 'EIO', later(1)));
    await show(heldReport({ takenAt: later(2) }));
    while (timing.waiting() === 0) await Promise.resolve();
    timing.release();
    await reporter.idle();
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/result': 'Held' });
    expect(kube.requests).toHaveLength(1);
  });
});

describe('the last removal', () => {
  const removed = { files: 1, allocatedBytes: 0, reclaimableFiles: 0, reclaimableBytes: 0, removedFiles: 1, removedBytes: 2 ** 30 };
  const TEXT = '2026-11-23T14:00:00.000Z: 1 base file removed, 1.0 GiB';

  it('should reach the node though another pass followed before it was written', async () => {
    const timing = heldTiming();
    const { kube, reporter } = setUp({ ...NO_EVENTS, timing, maxDelaySeconds: 10 });
    const show = (of: Report): Promise<void> => reporter.publish(of, digestOf(of), {});
    await show(report({ totals: removed }));
    while (timing.waiting() === 0) await Promise.resolve();
    await show(report({ takenAt: later(2) }));
    timing.release();
    await reporter.idle();
    expect(kube.requests).toHaveLength(1);
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/last-removal': TEXT, 'basekeeper.io/last-pass': later(2) });
  });

  it('should reach the node with the next pass where the API server refused it', async () => {
    const { kube, publish } = setUp(NO_EVENTS);
    await publish(report());
    kube.refuse = () => apiError(403);
    await publish(report({ takenAt: later(0), totals: removed }));
    kube.refuse = () => undefined;
    await publish(report({ takenAt: later(60) }));
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/last-removal': TEXT });
    expect(await publish(report({ takenAt: later(120) }))).toEqual([]);
  });
});

describe('the delay before a write', () => {
  it('should be a random part of the configured one', async () => {
    const { timing, publish } = setUp({ ...NO_EVENTS, maxDelaySeconds: 10 });
    await publish(report());
    expect(timing.slept).toEqual([5000]);
  });

  it('should not be taken when there is nothing to write', async () => {
    const { timing, publish } = setUp({ ...NO_EVENTS, maxDelaySeconds: 10 });
    await publish(report());
    await publish(report({ takenAt: later(60) }));
    expect(timing.slept).toHaveLength(1);
  });

  it('should not hold up the answer to run-now', async () => {
    const { kube, timing, publish } = setUp({ ...NO_EVENTS, maxDelaySeconds: 10 });
    await publish(report(), 'please');
    expect(timing.slept).toEqual([]);
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/run-now-done': 'please' });
  });

  it('should be cut short by an answer to run-now', async () => {
    const timing = heldTiming();
    const { kube, reporter } = setUp({ ...NO_EVENTS, timing, maxDelaySeconds: 10 });
    await reporter.publish(report(), digestOf(report()), {});
    while (timing.waiting() === 0) await Promise.resolve();
    await reporter.publish(report(), digestOf(report()), { runNowDone: 'please' });
    await reporter.idle();
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/run-now-done': 'please' });
  });

  it('should be cut short by the end of the agent, which writes what waits', async () => {
    const timing = heldTiming();
    const { kube, reporter } = setUp({ ...NO_EVENTS, timing, maxDelaySeconds: 10 });
    await reporter.publish(report(), digestOf(report()), {});
    while (timing.waiting() === 0) await Promise.resolve();
    await reporter.close();
    expect(kube.node('node-1')?.annotations).toMatchObject({ 'basekeeper.io/result': 'Succeeded' });
  });
});

describe('sending events', () => {
  it('should create the event at the node, with its real UID, in the namespace default', async () => {
    const { kube, publish } = setUp(NO_ANNOTATIONS);
    await publish(heldReport());
    expect([...kube.events.values()]).toMatchObject([
      {
        metadata: { namespace: 'default', name: expect.stringMatching(/^node-1\.[0-9a-f]+$/) as string },
        reportingController: 'basekeeper.io/agent',
        reportingInstance: 'basekeeper-node-1',
        eventTime: '2026-11-23T14:00:00.000000Z',
        regarding: { kind: 'Node', name: 'node-1', uid: 'uid-1' },
      },
    ]);
  });

  it("should create the event of a VM in the VM's namespace", async () => {
    const { kube, publish } = setUp(NO_ANNOTATIONS);
    await publish(report({ findings: [missingBackingFile()] }));
    expect([...kube.events.keys()].map((key) => key.split('/')[0])).toEqual(['default', 'tenant']);
  });

  it('should tell of a problem that nobody could be told before, once the node is known', async () => {
    const { kube, node, publish } = setUp(NO_ANNOTATIONS);
    kube.deleteNode('node-1');
    node.show();
    expect(await publish(heldReport())).toEqual([]);
    kube.putNode('node-1', 'uid-9');
    node.show();
    await publish(heldReport({ takenAt: later(60) }));
    expect([...kube.events.values()]).toMatchObject([{ regarding: { uid: 'uid-9' } }]);
  });

  it('should tell again in the next pass what could not be sent', async () => {
    const { kube, publish } = setUp(NO_ANNOTATIONS);
    kube.refuse = () => apiError(503);
    await publish(heldReport());
    kube.refuse = () => undefined;
    await publish(heldReport({ takenAt: later(60) }));
    expect(kube.events.size).toBe(1);
  });

  it('should not insist on an event that the API server refuses', async () => {
    const { kube, logger, publish } = setUp(NO_ANNOTATIONS);
    kube.refuse = () => apiError(403);
    await publish(heldReport());
    expect(await publish(heldReport({ takenAt: later(60) }))).toEqual([]);
    expect(logger.lines).toHaveLength(1);
  });
});

describe('ten thousand passes with ever changing problem', () => {
  it('should stay within the limits for events, in number and in memory', async () => {
    const { kube, clock, publish } = setUp(NO_ANNOTATIONS);
    const intervalSeconds = 60;
    for (let pass = 0; pass < 10_000; pass++) {
      const takenAt = later(pass * intervalSeconds);
      const findings = [missingBackingFile({ message: `disk ${pass % 97}`, file: `file ${pass % 97}` })];
      const problems = [
        heldReport({
          takenAt,
          findings,
          gate: { open: false, reasons: [{ reason: pass % 2 === 0 ? 'SourceStale' : 'EmptyInventory', message: 'x' }] },
        }),
        undecidedReport('Failed', `error ${pass}`, takenAt),
        report({ takenAt, files: [plannedFile()] }),
      ];
      await publish(problems[pass % 3] ?? report());
      clock.advance(intervalSeconds);
    }
    const perObject = 25 + (10_000 * intervalSeconds) / 300;
    const writes = Map.groupBy(kube.requests, ({ path }) => /namespaces\/([^/]+)/.exec(path)?.[1]);
    expect(writes.get('default')?.length).toBeGreaterThan(1000);
    expect(writes.get('default')?.length).toBeLessThanOrEqual(perObject);
    expect(writes.get('tenant')?.length).toBeGreaterThan(100);
    expect(writes.get('tenant')?.length).toBeLessThanOrEqual(perObject);
  });
});
