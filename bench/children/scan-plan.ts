/** argv: instances path, workloads file. A pass without removals for each message; answers with the seconds of its stages. */
import { runPass } from '../../src/cycle.ts';
import { benchParts } from '../lib/parts.ts';
import { answerEach } from './answer-each.ts';

const [instancesPath = '', workloadsPath = ''] = process.argv.slice(2);
const parts = benchParts(instancesPath, workloadsPath);

answerEach(async () => {
  const { stageSeconds, result, message } = await runPass(parts, { dryRun: true });
  if (result !== 'DryRun') throw new Error(`the pass was ${result}: ${message ?? ''}`);
  return { scan: stageSeconds.scan ?? Number.NaN, plan: stageSeconds.plan ?? Number.NaN };
});
