/**
 * `npm run mutants -- [--only TEXT] [--jobs N]`: takes each safety rule away, one at a time in a copy of this tree, and shows which test notices.
 * Ends non-zero when none does. What it shows it leaves in .test-results/mutants.json as well.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/mutants/list.ts';
import type { Mutant } from '../test/mutants/mutant.ts';
import { Workshop, type Verdict } from '../test/mutants/run.ts';
import { writeJsonReport } from './lib/json-report.ts';
import { cleanUpOnSignals } from './lib/signals.ts';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, jobs: { type: 'string' } } });
const chosen = MUTANTS.filter(({ rule, file }) => rule.includes(values.only) || file.includes(values.only));
if (chosen.length === 0) throw new Error(`no rule and no file contains ${JSON.stringify(values.only)}`);
const jobs = Math.min(chosen.length, Number(values.jobs ?? availableParallelism()));
const stopping = new AbortController();
const verdicts = new Map<Mutant, Verdict>();

async function work(workshop: Workshop, queue: Mutant[]): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined && !stopping.signal.aborted; mutant = queue.shift()) {
    const verdict = await workshop.try(mutant, stopping.signal);
    verdicts.set(mutant, verdict);
    console.log(`${verdict.kind.padEnd(8)}  ${mutant.rule}\n          ${mutant.file}: ${detail(verdict)}`);
  }
}

function detail(verdict: Verdict): string {
  if (verdict.kind === 'killed') return `noticed by "${verdict.by}"`;
  return verdict.kind === 'survived' ? 'no test notices' : verdict.why;
}

const workshops = Array.from({ length: jobs }, () => new Workshop());
const cleanUp = (): void => {
  for (const workshop of workshops) workshop[Symbol.dispose]();
};
cleanUpOnSignals(async () => {
  stopping.abort();
  cleanUp();
});
try {
  const files = [...new Set(chosen.flatMap(({ tests }) => tests))];
  console.error(`${files.length} test files on the tree as it is`);
  const red = await workshops[0]?.firstFailure(files, stopping.signal);
  if (red !== undefined) throw new Error(`a test fails without any mutant: ${red}`);
  const queue = [...chosen];
  await Promise.all(workshops.map((workshop) => work(workshop, queue)));
} finally {
  cleanUp();
}
const checks = [...verdicts].map(([{ rule }, verdict]) => ({
  name: rule,
  failure: verdict.kind === 'killed' ? undefined : detail(verdict),
}));
writeJsonReport('mutants', 'scripts/mutants.ts', checks);
const failures = checks.filter(({ failure }) => failure !== undefined);
console.log(`${checks.length} rules taken away, ${checks.length - failures.length} noticed by a test, ${failures.length} not`);
for (const { name, failure } of failures) console.log(`  ${name}: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
