/**
 * argv: instances path, base path, workloads file. A pass without removals for each message; answers with the seconds of its stages, and
 * with those that the system calls of the scan alone take Node.js.
 */
import { lstatSync, opendirSync } from 'node:fs';
import { runPass } from '../../src/pass/pass.ts';
import { benchParts } from '../lib/parts.ts';
import { answerEach } from './answer-each.ts';

const [instancesPath = '', basePath = '', workloadsPath = ''] = process.argv.slice(2);
const parts = benchParts(instancesPath, workloadsPath);

answerEach(async () => {
  const { stageSeconds, result, message } = await runPass(parts, { dryRun: true });
  if (result !== 'DryRun') throw new Error(`the pass was ${result}: ${message ?? ''}`);
  return { scan: stageSeconds.scan ?? Number.NaN, plan: stageSeconds.plan ?? Number.NaN, calls: callsAlone() };
});

function callsAlone(): number {
  const startedMs = performance.now();
  using directory = opendirSync(basePath, { encoding: 'latin1', bufferSize: 64 });
  for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
    lstatSync(`${basePath}/${entry.name}`, { bigint: true, throwIfNoEntry: false });
  }
  return (performance.now() - startedMs) / 1000;
}
