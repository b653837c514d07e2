/** npm run screenshots: draws docs/images/status-page.png from a real agent after one pass over the demo's node. Needs Chromium. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { NODE_NAME } from './demo/story.ts';
import { buildTree } from './demo/tree.ts';
import { pagesPortAfter } from '../src/config/default-port.ts';
import { freePort } from './lib/free-port.ts';
import { which } from './lib/run.ts';
import { until } from './lib/until.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'basekeeper-screenshots-'));
const port = await freePort();
const { configPath, workloadsPath } = buildTree(directory, { qemuImg: which('qemu-img') !== undefined, httpPort: port });
execFileSync(process.execPath, [`${root}scripts/build.ts`]);

const options = ['--config', configPath, '--workloads', workloadsPath, '--node', NODE_NAME];
const agent = spawn(process.execPath, [`${root}dist/basekeeper.js`, 'agent', ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
try {
  const page = `http://127.0.0.1:${pagesPortAfter(port)}/`;
  await until('the first pass', 60_000, () => isReady(`${page}report`));
  await draw(page, `${root}docs/images`);
} finally {
  agent.kill('SIGTERM');
  await once(agent, 'exit');
  rmSync(directory, { recursive: true, force: true });
}

async function isReady(url: string): Promise<true | undefined> {
  try {
    return (await fetch(url)).ok ? true : undefined;
  } catch (error) {
    // It does not listen yet.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function draw(url: string, into: string): Promise<void> {
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => which(name)).find((path) => path !== undefined);
  if (executablePath === undefined) throw new Error('no Chromium is here: run "node scripts/test-setup.ts"');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1250 }, colorScheme: 'light' });
    await page.goto(url);
    mkdirSync(into, { recursive: true });
    await page.screenshot({ path: `${into}/status-page.png` });
  } finally {
    await browser.close();
  }
}
