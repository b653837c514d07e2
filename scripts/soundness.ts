/**
 * `npm run soundness -- [--layouts N] [--seed S] [--from I] [--jobs J] [--reductions R]`: random layouts of real images, a pass over
 * each, and qemu-img as the only judge of what is backed by what. Ends non-zero when a file is lost, or when a pass leaves or holds
 * what it should not.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { describeResult } from '../test/soundness/describe.ts';
import { runInWorkers } from '../test/soundness/workers.ts';

const { values } = parseArgs({
  options: {
    layouts: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    jobs: { type: 'string' },
    reductions: { type: 'string', default: '20' },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const from = Number(values.from);
const end = from + Number(values.layouts);
const jobs = Math.min(Number(values.jobs ?? availableParallelism()), end - from);

// One pass in ten is run by the program as it is shipped.
execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
console.error(`seed ${seed}${process.getuid?.() === 0 ? '' : '; without root no file is unreadable, and that is not tried'}`);
const startedMs = performance.now();
const result = await runInWorkers({ seed, begin: from, end, reductions: Number(values.reductions) }, jobs, (layouts, lost) => {
  if (layouts % 500 === 0) console.error(`${layouts} layouts in ${secondsSince(startedMs)} s, ${lost} lost`);
});
console.log(describeResult(result));
console.log(`seed ${seed}, ${(result.layouts / secondsSince(startedMs)).toFixed(1)} layouts a second`);
process.exitCode = Object.values(result.faults).every((count) => count === 0) ? 0 : 1;

function secondsSince(thenMs: number): number {
  return Math.round((performance.now() - thenMs) / 100) / 10;
}
