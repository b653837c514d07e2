import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import type { Reporter } from '../../../src/model/ports.ts';
import { createReporter } from '../../../src/report/publish.ts';
import { createKubeReporter } from '../../../src/report/node/kube-reporter.ts';
import { createLogReporter } from '../../../src/report/log.ts';
import { createMetrics } from '../../../src/report/metrics/metrics.ts';
import { manualClock, memoryKube, memoryLogger, memoryTiming } from '../../helpers/memory-kube.ts';
import { fullReport, reportOfSize } from '../../helpers/report-pages.ts';
import { heldReport, undecidedReport } from '../../helpers/reports.ts';

interface World {
  readonly reporter: Reporter;
  readonly passesSeen: () => Promise<number>;
  close(): Promise<void>;
}

/** A twin that only remembers. */
function memoryWorld(): World {
  let passes = 0;
  const part = { publish: () => Promise.resolve(void passes++) };
  return { reporter: createReporter([part], memoryLogger()), passesSeen: () => Promise.resolve(passes), close: () => Promise.resolve() };
}

/** All that the agent has, with an API server that cannot be reached. */
function realWorld(): World {
  const logger = memoryLogger();
  const metrics = createMetrics({ version: '1', processMetrics: false });
  const node = memoryKube();
  node.putNode('node-1', 'uid-1');
  const unreachable = new KubeConfig();
  unreachable.loadFromClusterAndUser({ name: 'test', server: 'http://127.0.0.1:1', skipTLSVerify: false }, { name: 'test' });
  const client = createKubeClient({ kubeConfig: () => unreachable, userAgent: 'test' });
  const kube = createKubeReporter({
    client,
    node: node.watchNode('node-1'),
    clock: manualClock(),
    logger,
    instance: 'node-1',
    timing: memoryTiming(),
  });
  return {
    reporter: createReporter([createLogReporter(logger), metrics, kube], logger),
    passesSeen: async () => {
      const { body } = await metrics.scrape(undefined);
      return [...body.matchAll(/^basekeeper_passes_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
    },
    close: async () => {
      await kube.close();
      client.close();
    },
  };
}

describe.each([
  ['in memory', memoryWorld],
  ['with the real parts, and nobody at the other end', realWorld],
])('a reporter, %s', (_what, build) => {
  let world: World;
  beforeAll(() => {
    world = build();
  });
  afterAll(async () => await world.close());

  it.each([
    ['full of everything', fullReport()],
    ['held', heldReport()],
    ['of a pass that failed at once', undecidedReport('Failed', 'EIO')],
    ['of a pass that was left out', undecidedReport('Skipped', 'the mode is off')],
    ['of thousands of files', reportOfSize(3000)],
  ])('should take a report %s without failing or waiting for anybody', async (_which, of) => {
    const before = await world.passesSeen();
    await world.reporter.publish(of, { runNowDone: 'please' });
    expect(await world.passesSeen()).toBe(before + 1);
  });

  it('should take reports that come while others are shown', async () => {
    const before = await world.passesSeen();
    await Promise.all([heldReport(), fullReport(), reportOfSize(1000)].map((of) => world.reporter.publish(of)));
    expect(await world.passesSeen()).toBe(before + 3);
  });
});
