/** `npm run races -- [--rounds N] [--seed S] [--trash]`: passes among writers, as a model and as real processes. */
import { parseArgs } from 'node:util';
import { playRaces } from '../test/races/model.ts';
import { raceAgainstProcesses } from '../test/races/processes.ts';
import { judgeDisturbed, moving } from '../test/soundness/disturbed.ts';

const { values } = parseArgs({
  options: { trash: { type: 'boolean', default: false }, rounds: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);

const model = await playRaces({ runs: rounds * 10, seed });
console.log(
  `model, seed ${seed}: ${model.runs} interleavings, ${model.steps} steps of others, ${model.passes} passes, ${model.removals} removals, ${model.emptied} from the trash, ${model.restored} back from it`,
);
if (model.failure !== undefined) console.log(model.failure);

const writers = 4;
let failed = model.failure !== undefined;
for (const shared of [false, true]) {
  const { violations, ...counts } = await raceAgainstProcesses({
    writers,
    rounds: Math.ceil(rounds / writers / 2),
    seed,
    shared,
    trash: values.trash,
  });
  console.log(
    shared ? 'processes, two hosts on one directory:' : 'processes:',
    counts,
    violations.length === 0 ? '0 violations' : violations,
  );
  failed ||= violations.length > 0;
}
const layouts = await judgeDisturbed({ seed, layouts: Math.ceil(rounds / 10), disturb: moving() });
console.log(`random layouts that are resized: ${layouts.layouts}, removed ${layouts.removed}`);
for (const failure of layouts.failures) console.log(failure);
failed ||= layouts.failures.length > 0;
process.exitCode = failed ? 1 : 0;
