/** npm run bench [-- --quick] [-- --only NAME,NAME] [-- --minutes N]: measures Basekeeper beside its peers and says which goals hold. */
import { parseArgs } from 'node:util';
import { agentBench } from './rows/agent.ts';
import { bundleBench } from './rows/bundle.ts';
import { headersBench } from './rows/headers.ts';
import { ledgerBench } from './rows/ledger.ts';
import { limitBench } from './rows/limit.ts';
import { millionBench } from './rows/million.ts';
import { novaBench } from './rows/nova.ts';
import { passesBench } from './rows/passes.ts';
import { planBench } from './rows/plan.ts';
import { readyBench } from './rows/ready.ts';
import { removalsBench } from './rows/removals.ts';
import { scanBench } from './rows/scan.ts';
import { runBenches } from './lib/run.ts';

const BENCHES = [
  removalsBench,
  planBench,
  novaBench,
  bundleBench,
  scanBench,
  headersBench,
  passesBench,
  millionBench,
  ledgerBench,
  agentBench,
  readyBench,
  limitBench,
];

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, minutes: { type: 'string' } },
});
const wanted = values.only?.split(',');
const unknown = wanted?.filter((name) => !BENCHES.some((bench) => bench.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  await runBenches(
    BENCHES.filter(({ name }) => wanted === undefined || wanted.includes(name)),
    { quick: values.quick, minutes: values.minutes === undefined ? undefined : Number(values.minutes) },
  );
}
