/**
 * `npm run soak -- [--minutes M] [--seed S] [--pods N] [--vmis N] [--writers N]`: the shipped agent on a real API server, among VMs that come and
 * go, with passes every second and all kinds of faults. Ends non-zero when a promise is broken; what it found it leaves in .test-results/soak.json as well.
 */
import { parseArgs } from 'node:util';
import buildBundle from '../test/helpers/build-bundle.ts';
import { judge, windows } from '../test/soak/judge.ts';
import { soak } from '../test/soak/soak.ts';
import { writeJsonReport } from './lib/json-report.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    pods: { type: 'string', default: '200' },
    vmis: { type: 'string', default: '100' },
    writers: { type: 'string', default: '3' },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const stopping = new AbortController();
// Not once: as soon as nobody listens any more, what watches over the API server's process ends this one at the same signal.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

buildBundle();
console.log(`soak of ${values.minutes} minutes, seed ${seed}`);
const { counts, ...result } = await soak({
  minutes: Number(values.minutes),
  seed,
  pods: Number(values.pods),
  vmis: Number(values.vmis),
  writers: Number(values.writers),
  signal: stopping.signal,
  onProgress: (line) => console.log(line),
});
const checks = judge(result);
writeJsonReport('soak', 'scripts/soak.ts', checks);

const memory = windows(result.samples, ({ residentBytes }) => residentBytes / 2 ** 20);
const descriptors = windows(result.samples, (sample) => sample.descriptors);
console.log('world:', JSON.stringify(counts));
console.log('faults:', JSON.stringify(result.faults));
console.log('passes:', JSON.stringify(result.passes), 'held by', JSON.stringify(result.heldBy));
console.log('planned removals:', JSON.stringify(result.outcomes));
console.log(`looks at files in use: ${result.looks}, lost: ${result.violations.length}`);
console.log(
  `memory: ${memory.first.toFixed(1)} MiB, later ${memory.last.toFixed(1)} MiB; descriptors: ${descriptors.first}, later ${descriptors.last}`,
);
console.log('requests:', JSON.stringify(result.writes));
for (const { name, failure } of checks) console.log(failure === undefined ? `kept    ${name}` : `BROKEN  ${name}: ${failure}`);
process.exitCode = checks.some(({ failure }) => failure !== undefined) || stopping.signal.aborted ? 1 : 0;
