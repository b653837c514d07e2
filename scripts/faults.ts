/** `npm run faults -- [--rounds N] [--seed S] [--trash]`: passes that are killed at random moments, and such whose system calls fail. */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { failAtRandom, killAtRandom } from '../test/faults/kills.ts';
import { Random } from '../test/hostile/random.ts';

const { values } = parseArgs({
  options: { trash: { type: 'boolean', default: false }, rounds: { type: 'string', default: '200' }, seed: { type: 'string' } },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);

// What is killed is what the sources say.
execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
const { failures: lost, ...kills } = await killAtRandom({ rounds, random: new Random(seed), trash: values.trash });
console.log(`seed ${seed}, kill -9 at random moments:`, kills);
const { failures: broken, ...faults } = await failAtRandom({ rounds, random: new Random(seed) });
console.log('system calls that fail from a random moment on:', faults);
for (const failure of [...lost, ...broken]) console.log(failure);
console.log(`${lost.length + broken.length} failures`);
process.exitCode = lost.length + broken.length === 0 ? 0 : 1;
