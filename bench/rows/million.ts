import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { ended, file } from '../lib/child.ts';
import { imageSettings } from '../lib/image.ts';
import { freePort } from '../../scripts/lib/free-port.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { mib } from '../lib/stats.ts';
import { buildTree, type BenchTree } from '../lib/tree.ts';

const MAX_RSS_BYTES = 160 * 2 ** 20;
const MAX_BLOCK_MS = 20;
const MAX_ANSWER_MS = 50;
const PROBE_EVERY_MS = 20;

interface Peaks {
  readonly peakBytes: number;
  readonly blockMs: number;
  readonly p99Ms: number;
}

/** What a pass over a million files takes in memory and in attention. */
export const millionBench: Bench = {
  name: 'million',
  async run(context) {
    const files = context.quick ? 100_000 : 1_000_000;
    const tree = buildTree(context.root, { files, vms: 100 });
    const rows = [await peakOfPlan(context, tree, files), ...(await attention(context, tree, files))];
    tree.remove();
    return rows;
  },
};

const watchSelf = (peaks: string) => ({
  args: ['--import', file('children/watch-self.mjs')],
  env: { ...process.env, BENCH_PEAKS: peaks, NODE_NAME: 'bench' },
});
const readPeaks = (path: string): Peaks => JSON.parse(readFileSync(path, 'utf8')) as Peaks;

async function peakOfPlan({ root, bundle, say }: BenchContext, tree: BenchTree, files: number): Promise<Row> {
  const peaks: Record<string, number> = {};
  for (const output of ['json', 'table']) {
    const path = join(root, `peaks-${output}.json`);
    const { args, env } = watchSelf(path);
    const plan = ['plan', '--instances-path', tree.instancesPath, '--workloads', tree.workloadsPath, '--output', output];
    await ended(spawn(process.execPath, [...args, bundle, ...plan], { stdio: ['ignore', 'ignore', 'inherit'], env }));
    peaks[output] = readPeaks(path).peakBytes;
  }
  const { json = Number.NaN, table = Number.NaN } = peaks;
  const worst = Math.max(json, table);
  say(`  peak RSS of plan: JSON ${mib(json)}, table ${mib(table)}`);
  return {
    id: 'peak-rss',
    what: `peak RSS of a pass over ${files.toLocaleString('en')} files (\`basekeeper plan\`)`,
    against: '–',
    goal: `≤ ${mib(MAX_RSS_BYTES)}`,
    figure: `${mib(worst)} (JSON ${mib(json)}, table ${mib(table)})`,
    met: worst <= MAX_RSS_BYTES,
    measures: { jsonBytes: json, tableBytes: table },
  };
}

async function attention({ root, bundle, say }: BenchContext, tree: BenchTree, files: number): Promise<Row[]> {
  const port = await freePort();
  const config = join(root, 'million.json');
  const settings = {
    nodeName: 'bench',
    instancesPath: tree.instancesPath,
    intervalSeconds: 3600,
    jitterSeconds: 0,
    maxRemovalsPerPass: 0,
    annotations: false,
    events: false,
    sources: { pods: { enabled: false }, virtualMachineInstances: { enabled: false }, file: { path: tree.workloadsPath } },
    http: { address: '127.0.0.1', port },
  };
  writeFileSync(config, JSON.stringify(settings));
  const path = join(root, 'peaks-agent.json');
  const { args, env } = watchSelf(path);
  const image = imageSettings();
  const agent = spawn(process.execPath, [...image.flags, ...args, bundle, 'agent', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, ...image.env },
  });
  const bare = bareProcess(join(root, 'peaks-bare.json'));
  const ends = [ended(agent), ended(bare.process)];
  const times = await probeUntilPassed(port, () => {
    for (const process of [agent, bare.process]) process.kill('SIGUSR2');
  });
  for (const process of [agent, bare.process]) process.kill('SIGTERM');
  await Promise.all(ends);
  const { blockMs, p99Ms, peakBytes } = readPeaks(path);
  const bareBlockMs = readPeaks(bare.path).blockMs;
  const slowest = Math.max(...times);
  say(
    `  longest block ${blockMs.toFixed(1)} ms (bare process ${bareBlockMs.toFixed(1)} ms), slowest /healthz ${slowest.toFixed(1)} ms of ${times.length}, agent's peak ${mib(peakBytes)}`,
  );
  const base = {
    against: '–',
    measures: { blockMs, p99Ms, bareBlockMs, slowestAnswerMs: slowest, probes: times.length, agentPeakBytes: peakBytes },
  };
  return [
    {
      ...base,
      against: `a bare \`node\` that does nothing, at the same time: ${bareBlockMs.toFixed(1)} ms`,
      id: 'loop-block',
      what: `longest event-loop block in the agent's pass over ${files.toLocaleString('en')} files, from the first answer of \`/healthz\` to the published report`,
      goal: `≤ ${MAX_BLOCK_MS} ms`,
      figure: `${blockMs.toFixed(1)} ms (p99 ${p99Ms.toFixed(1)} ms)`,
      met: blockMs <= MAX_BLOCK_MS,
    },
    {
      ...base,
      id: 'healthz',
      what: `slowest \`/healthz\` throughout, of ${times.length}`,
      goal: `≤ ${MAX_ANSWER_MS} ms`,
      figure: `${slowest.toFixed(1)} ms`,
      met: slowest <= MAX_ANSWER_MS,
    },
  ];
}

/** What the machine alone keeps from an idle process. */
function bareProcess(path: string) {
  const { args, env } = watchSelf(path);
  const script = "process.once('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)";
  return { path, process: spawn(process.execPath, [...args, '-e', script], { stdio: ['ignore', 'ignore', 'inherit'], env }) };
}

/** Asks /healthz all the time until a pass has been published, then a little longer; milliseconds of each answer. */
async function probeUntilPassed(port: number, onAnswer: () => void): Promise<number[]> {
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(`${url}/healthz`))) await pause(PROBE_EVERY_MS);
  onAnswer();
  const times: number[] = [];
  for (let probe = 0; ; probe += 1) {
    const started = performance.now();
    const response = await fetch(`${url}/healthz`);
    await response.text();
    times.push(performance.now() - started);
    if (!response.ok) throw new Error(`/healthz answered with ${response.status} during the pass`);
    if (probe % 25 === 24 && (await passes(url)) > 0) return times;
    await pause(PROBE_EVERY_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch (error) {
    // Not listening yet.
    if (!(error instanceof TypeError)) throw error;
    return false;
  }
}

async function passes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^basekeeper_passes_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}
