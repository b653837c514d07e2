import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/report/digest.ts';
import { createMetrics } from '../../../src/report/metrics/metrics.ts';
import { fullReport } from '../../helpers/report-pages.ts';
import { startReportServer } from '../../helpers/report-server.ts';

const metrics = createMetrics({ version: '1.2.3' });
metrics.observe(fullReport(), digestOf(fullReport()));
metrics.setMode('enforce');
metrics.requestObserver('list', '200');
metrics.watchSources(() => [{ name: 'pods', state: 'synced', lastContactMs: 1, freshLimitMs: 1, consistentListAtMs: 1 }]);
const server = await startReportServer({ metrics });
afterAll(async () => await server.close());

const scrape = async (): Promise<string> => await (await fetch(`${server.url}/metrics`)).text();

describe('a live scrape', () => {
  it('should leave promtool nothing to find fault with', async () => {
    expect(execFileSync('promtool', ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' })).toBe('');
  });

  it('should have the metrics of docs/metrics.md and none else of our own', async () => {
    const documented = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(basekeeper_\w+)` \| (gauge|counter|histogram) \|/gm)];
    const live = [...(await scrape()).matchAll(/^# TYPE (basekeeper_\w+) (\w+)$/gm)];
    expect(live.map(([, name, type]) => [name, type])).toEqual(documented.map(([, name, type]) => [name, type]));
    expect(live.length).toBeGreaterThan(20);
  });

  it('should have the metrics of the process as well', async () => {
    const body = await scrape();
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds'])
      expect(body).toContain(`\n${name} `);
  });
});
