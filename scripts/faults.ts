/**
 * `npm run faults -- [--rounds N] [--seed S] [--trash] [--every-call]`: passes that are killed at random moments or at
 * each system call of a batch, and such whose system calls fail.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { killThroughoutBatch } from '../test/faults/batch-calls.ts';
import { failAtRandom, killAtRandom } from '../test/faults/kills.ts';
import { Random } from '../test/hostile/random.ts';
import { failing, judgeDisturbed, killed } from '../test/soundness/disturbed.ts';

const { values } = parseArgs({
  options: {
    trash: { type: 'boolean', default: false },
    'every-call': { type: 'boolean', default: false },
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);

// What is killed is what the sources say.
execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
const { failures: lost, ...kills } = await killAtRandom({ rounds, random: new Random(seed), trash: values.trash });
console.log(`seed ${seed}, kill -9 at random moments:`, kills);
const { failures: broken, ...faults } = await failAtRandom({ rounds, random: new Random(seed) });
console.log('system calls that fail from a random moment on:', faults);
const throughout: string[] = [];
for (const trash of values['every-call'] ? [false, true] : []) {
  const { failures: found, ...counts } = await killThroughoutBatch({ trash });
  console.log(`kill -9 at each system call of a batch${trash ? ', to the trash' : ''}:`, counts);
  throughout.push(...found);
}
// The same over random layouts of real images, a part of which takes longer.
const layouts = Math.ceil(rounds / 4);
const random = new Random(seed);
const overLayouts = [
  await judgeDisturbed({ seed, layouts, disturb: killed(random) }),
  await judgeDisturbed({ seed: seed + 1, layouts, disturb: failing(random) }),
];
console.log(`random layouts: ${2 * layouts}, removed ${overLayouts.reduce((sum, { removed }) => sum + removed, 0)}`);
const failures = [...lost, ...broken, ...throughout, ...overLayouts.flatMap((result) => result.failures)];
for (const failure of failures) console.log(failure);
console.log(`${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
