/** npm run pictures: docs/images/dashboard-*.png, drawn from what a real Prometheus scraped from real agents for some minutes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { fleet as fleetDashboard } from '../dashboards/fleet.ts';
import { node as nodeDashboard } from '../dashboards/node.ts';
import { ensureKubeAssets } from './lib/kube-assets.ts';
import { announceOnStderr, which } from './lib/run.ts';
import { drawPage, type DrawnPanel } from './monitoring/draw.ts';
import { PICTURED_FILE, picturedDashboards } from './monitoring/pictured.ts';
import { startFleet } from './monitoring/fleet.ts';
import { interpolate, panelsOf, rowsOf } from './monitoring/panels.ts';
import type { Prometheus } from './monitoring/prometheus.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SECONDS = 120;
const PICTURES = [
  { name: 'dashboard-fleet', dashboard: fleetDashboard.build(), node: 'node-.*' },
  { name: 'dashboard-node', dashboard: nodeDashboard.build(), node: 'node-a' },
] as const;

async function panelsWithData(prometheus: Prometheus, { dashboard, node }: (typeof PICTURES)[number]): Promise<DrawnPanel[]> {
  const toSeconds = Math.floor(Date.now() / 1000);
  const range = { fromSeconds: toSeconds - SECONDS, toSeconds, stepSeconds: 3 };
  const drawn: DrawnPanel[] = [];
  for (const panel of panelsOf(dashboard)) {
    const results = [];
    for (const query of panel.queries) {
      const expr = interpolate(query.expr, { node, cluster: '.*', range: `${SECONDS}s`, rateInterval: '30s' });
      results.push({ query, series: query.instant ? await prometheus.query(expr) : await prometheus.queryRange(expr, range) });
    }
    drawn.push({ panel, results });
  }
  return drawn;
}

execFileSync(process.execPath, [`${ROOT}scripts/build.ts`]);
const assetsDirectory = await ensureKubeAssets({ announce: announceOnStderr });
const rulesFile = `${ROOT}manifests/prometheus/basekeeper.rules.yaml`;
await using fleet = await startFleet({ bundle: `${ROOT}dist/basekeeper.js`, assetsDirectory, rulesFile });
announceOnStderr(`Three agents work for ${SECONDS} s …`);
for (let second = 0; second < SECONDS; second += 10) {
  if (second % 30 === 0) fleet.addUnusedFile();
  await sleep(10_000);
}
const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => which(name)).find((path) => path !== undefined);
if (executablePath === undefined) throw new Error('no Chromium is here: run "node scripts/test-setup.ts"');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
mkdirSync(`${ROOT}docs/images`, { recursive: true });
try {
  const page = await browser.newPage({ viewport: { width: 1430, height: 900 } });
  for (const picture of PICTURES) {
    const note = `Three agents, scraped by Prometheus for ${SECONDS / 60} minutes, a pass every 5 seconds; not drawn by Grafana.`;
    await page.setContent(
      drawPage(picture.dashboard.title ?? '', note, await panelsWithData(fleet.prometheus, picture), rowsOf(picture.dashboard)),
    );
    await page.screenshot({ path: `${ROOT}docs/images/${picture.name}.png`, fullPage: true });
  }
  writeFileSync(`${ROOT}${PICTURED_FILE}`, picturedDashboards());
} finally {
  await browser.close();
}
