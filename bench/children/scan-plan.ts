/** argv: instances path, base path, workloads file, runs. Passes without removals and `find` on the same tree, turn by turn. */
import { spawnSync } from 'node:child_process';
import { runPass } from '../../src/cycle.ts';
import { benchParts } from '../lib/parts.ts';

const [instancesPath = '', basePath = '', workloadsPath = '', runs = '5'] = process.argv.slice(2);
const parts = benchParts(instancesPath, workloadsPath);
const scan: number[] = [];
const plan: number[] = [];
const find: number[] = [];
const findOnce = (): number => {
  const started = performance.now();
  const { status } = spawnSync('find', [basePath, '-printf', String.raw`%f %s %b %T@ %i\n`], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`find ended with ${status}`);
  return (performance.now() - started) / 1000;
};
findOnce();
for (let run = 0; run < Number(runs); run += 1) {
  const { stageSeconds, result, message } = await runPass(parts, { dryRun: true });
  if (result !== 'DryRun') throw new Error(`the pass was ${result}: ${message ?? ''}`);
  scan.push(stageSeconds.scan ?? Number.NaN);
  plan.push(stageSeconds.plan ?? Number.NaN);
  find.push(findOnce());
}
console.log(JSON.stringify({ scan, plan, find }));
