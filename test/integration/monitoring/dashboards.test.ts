import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardFiles } from '../../../dashboards/all.ts';
import { fleet as fleetDashboard } from '../../../dashboards/fleet.ts';
import { node as nodeDashboard } from '../../../dashboards/node.ts';
import { COLOURS, coloursOf, SINGLE_COLOURS } from '../../../dashboards/colours.ts';
import { NORMALLY_EMPTY, REMOVALS } from '../../../dashboards/parts.ts';
import { CHART } from '../../../scripts/chart/generated.ts';
import { kubeAssetsDirectory } from '../../../scripts/lib/kube-assets.ts';
import { type Fleet, startFleet } from '../../../scripts/monitoring/fleet.ts';
import { interpolate, panelsOf, rowsOf } from '../../../scripts/monitoring/panels.ts';
import { PICTURED_FILE, picturedDashboards } from '../../../scripts/monitoring/pictured.ts';
import { FILE_STATES, PASS_RESULTS } from '../../../src/model/reasons.ts';
import { METRICS } from '../../../src/report/metrics/definitions.ts';
import { BUNDLE } from '../../helpers/basekeeper.ts';

const dashboards = [
  ['fleet', fleetDashboard.build(), 'node-.*'],
  ['node', nodeDashboard.build(), 'node-a'],
] as const;
const panels = dashboards.flatMap(([name, dashboard, node]) => panelsOf(dashboard).map((panel) => ({ name, node, ...panel })));

const everyColour = new Map([...Object.values(COLOURS).flatMap((values) => Object.entries(values)), ...Object.entries(SINGLE_COLOURS)]);

describe('the dashboards', () => {
  it('should be in the chart as `npm run generate:chart` writes them, and no others', () => {
    const files = dashboardFiles();
    for (const [name, text] of files) expect(readFileSync(`${CHART}/dashboards/${name}`, 'utf8'), name).toBe(text);
    expect(readdirSync(`${CHART}/dashboards`).toSorted()).toEqual([...files.keys()].toSorted());
  });

  it.each(dashboards)('should let people choose data source, cluster and node, and lead to the other: %s', (_name, dashboard) => {
    expect(dashboard.templating?.list?.map(({ name }) => name)).toEqual(['datasource', 'cluster', 'node']);
    const uids = dashboards.map(([, { uid }]) => uid);
    expect(uids.some((uid) => uid !== dashboard.uid && dashboard.links?.[0]?.url?.includes(`/d/${uid}?`) === true)).toBe(true);
  });

  it('should be those of the pictures in the documents; else run: npm run pictures', () => {
    expect(readFileSync(PICTURED_FILE, 'utf8')).toBe(picturedDashboards());
  });

  it.each(dashboards)('should have a row over every panel, and no row without panels: %s', (_name, dashboard) => {
    const rows = rowsOf(dashboard).map(({ title, y }) => ({ title, y, panels: 0 }));
    for (const { grid } of panelsOf(dashboard)) {
      const above = rows.findLast(({ y }) => y < grid.y);
      expect(above, String(grid.y)).toBeDefined();
      if (above !== undefined) above.panels += 1;
    }
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((row) => row.panels === 0)).toEqual([]);
  });

  it.each(dashboards)('should mark removals on every chart: %s', (_name, dashboard) => {
    const [removals, ...others] = dashboard.annotations?.list ?? [];
    expect(others).toEqual([]);
    expect(removals).toMatchObject({ name: 'Removals', enable: true, expr: REMOVALS, datasource: { type: 'prometheus' } });
    expect('basekeeper_removed_files_total' in METRICS).toBe(true);
  });

  it.each(panels.filter(({ type }) => type === 'timeseries'))('should show values in the legend: $name, $title', (panel) => {
    expect(panel.legendValues).toEqual(['lastNotNull', 'max']);
  });

  it.each(panels)('should give what means something a colour that is fixed, the same everywhere: $name, $title', (panel) => {
    for (const { legend } of panel.type === 'timeseries' ? panel.queries : [])
      expect(panel.colours).toMatchObject(Object.fromEntries(coloursOf(legend)));
    for (const [series, colour] of Object.entries(panel.colours)) expect(everyColour.get(series), series).toBe(colour);
  });

  it('should have a colour for each mode, result and state, where red is failed and orange is held', () => {
    expect(Object.keys(COLOURS['result'] ?? {}).toSorted()).toEqual([...PASS_RESULTS].toSorted());
    expect(Object.keys(COLOURS['state'] ?? {}).toSorted()).toEqual([...FILE_STATES].toSorted());
    expect(COLOURS).toMatchObject({ result: { Held: 'orange', Failed: 'red' }, state: { held: 'orange' }, mode: { enforce: 'green' } });
  });

  it.each(panels)('should describe each panel, give it a unit, and ask only for metrics that exist: $name, $title', (panel) => {
    expect(panel.description).toMatch(/^[A-Z].{15,}\.$/s);
    expect(panel.unit).not.toBe('');
    for (const { expr } of panel.queries) {
      const names = [...expr.matchAll(/\bbasekeeper_\w+/g)].map(([name]) => name.replace(/_(?:sum|count|bucket)$/, ''));
      expect(names.filter((name) => !(name in METRICS))).toEqual([]);
    }
  });
});

describe('a real Prometheus that scrapes three agents', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    const assetsDirectory = kubeAssetsDirectory() ?? '';
    fleet = await startFleet({ bundle: BUNDLE, assetsDirectory, rulesFile: resolve('manifests/prometheus/basekeeper.rules.yaml') });
    for (let second = 0; second < 40; second += 5) {
      fleet.addUnusedFile();
      await sleep(5000);
    }
  }, 300_000);
  afterAll(async () => await fleet[Symbol.asyncDispose]());

  it.each(panels)('should have data for each query: $name, $title', async ({ queries, node }) => {
    for (const { expr } of queries) {
      const series = await fleet.prometheus.query(interpolate(expr, { node, cluster: '.*', range: '10m', rateInterval: '30s' }));
      const withData = series.filter(({ values }) => values.some(([, value]) => !Number.isNaN(value)));
      if (!NORMALLY_EMPTY.has(expr)) expect(withData, expr).not.toEqual([]);
    }
  });

  it('should have the removals that the charts mark', async () => {
    const series = await fleet.prometheus.query(
      interpolate(REMOVALS, { node: 'node-.*', cluster: '.*', range: '10m', rateInterval: '30s' }),
    );
    expect(series.length).toBeGreaterThan(0);
    for (const { metric } of series) expect(metric['node']).toMatch(/^node-[abc]$/);
  });

  it('should find the nodes for the variables of the dashboards', async () => {
    const nodes = await fleet.prometheus.get('label/node/values', { 'match[]': 'basekeeper_build_info' });
    expect(nodes).toEqual(['node-a', 'node-b', 'node-c']);
  });

  it('should evaluate each alert without an error', async () => {
    const { groups } = (await fleet.prometheus.get('rules')) as {
      groups: { rules: { name: string; health: string; lastError?: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});
