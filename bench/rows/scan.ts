import { spawnSync } from 'node:child_process';
import { Measured } from '../lib/child.ts';
import type { Bench } from '../lib/row.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { median, seconds, slope } from '../lib/stats.ts';
import { buildTree, type BenchTree } from '../lib/tree.ts';

interface Figures {
  readonly scan: readonly number[];
  readonly plan: readonly number[];
  readonly find: readonly number[];
  /** `opendir` and `lstat` of every entry in a loop of Node.js, and nothing else. */
  readonly calls: readonly number[];
}

/** Files → most that scan and plan may take, as a multiple of find. */
const GOALS: Readonly<Record<number, number>> = { 100_000: 1.5, 1_000_000: 1.3 };
const MAX_EXPONENT = 1.05;

export const scanBench: Bench = {
  name: 'scan',
  async run({ root, quick, say }) {
    const rows: Row[] = [];
    const points: [number, number][] = [];
    for (const files of quick ? [1000, 10_000, 100_000] : [1000, 10_000, 100_000, 1_000_000]) {
      const tree = buildTree(root, { files, vms: 100 });
      const runs = quick ? 3 : 7;
      const figures = await turnByTurn(tree, runs);
      tree.remove();
      const ours = median(figures.scan.map((scan, run) => scan + (figures.plan[run] ?? 0)));
      const find = median(figures.find);
      say(`  ${files} files: scan ${seconds(median(figures.scan))}, plan ${seconds(median(figures.plan))}, find ${seconds(find)}`);
      points.push([Math.log(files), Math.log(ours)]);
      const goal = GOALS[files];
      if (goal !== undefined) rows.push(row(files, figures, { ours, find, goal }));
    }
    const exponent = slope(points);
    const largest = Math.round(Math.exp(points.at(-1)?.[0] ?? 0));
    rows.push({
      id: 'growth',
      what: `growth of scan + plan from 1k to ${largest.toLocaleString('en')} files`,
      against: '–',
      goal: `exponent ≤ ${MAX_EXPONENT}`,
      figure: exponent.toFixed(3),
      met: exponent <= MAX_EXPONENT,
      measures: { exponent, files: points.map(([x]) => Math.round(Math.exp(x))), seconds: points.map(([, y]) => Math.exp(y)) },
    });
    return rows;
  },
};

async function turnByTurn({ instancesPath, basePath, workloadsPath }: BenchTree, runs: number): Promise<Figures> {
  const figures = { scan: [] as number[], plan: [] as number[], find: [] as number[], calls: [] as number[] };
  await using passes = new Measured<{ scan: number; plan: number; calls: number }>('scan-plan.ts', instancesPath, basePath, workloadsPath);
  // The first of each finds caches cold, and code that has never run.
  await passes.measure();
  findOnce(basePath);
  for (let run = 0; run < runs; run += 1) {
    const { scan, plan, calls } = await passes.measure();
    figures.calls.push(calls);
    figures.scan.push(scan);
    figures.plan.push(plan);
    figures.find.push(findOnce(basePath));
  }
  return figures;
}

function findOnce(basePath: string): number {
  const started = performance.now();
  const { status } = spawnSync('find', [basePath, '-printf', String.raw`%f %s %b %T@ %i\n`], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`find ended with ${status}`);
  return (performance.now() - started) / 1000;
}

function row(files: number, figures: Figures, { ours, find, goal }: { ours: number; find: number; goal: number }): Row {
  const ratio = ours / find;
  return {
    id: `scan-${files}`,
    what: `scan + plan in process, ${files / 1000}k files`,
    against: `\`find -printf\` on the same tree, warm: ${seconds(find)}`,
    goal: `≤ ${goal} ×`,
    figure: `${seconds(ours)}: ${ratio.toFixed(2)} × (scan ${seconds(median(figures.scan))}, plan ${seconds(median(figures.plan))}; \`opendir\` and \`lstat\` alone, in Node.js: ${seconds(median(figures.calls))})`,
    met: ratio <= goal,
    measures: { ratio, scanSeconds: figures.scan, planSeconds: figures.plan, findSeconds: figures.find, callsSeconds: figures.calls },
  };
}
