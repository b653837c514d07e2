/** `npm run parity -- [--trees N] [--seed S] [--path P]`: Basekeeper against the real Nova on random trees. */
import { parseArgs } from 'node:util';
import { compareRandomTrees, describeFailure } from '../test/parity/random-trees.ts';

const { values } = parseArgs({
  options: { trees: { type: 'string', default: '1000' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const trees = Number(values.trees);
const startedMs = performance.now();
const result = await compareRandomTrees({
  trees,
  seed: values.seed === undefined ? undefined : Number(values.seed),
  path: values.path,
  onTree: (done) => {
    if (done % 500 === 0) console.error(`${done} trees in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  },
});
if (result.failure !== undefined) {
  console.log(describeFailure(result.failure));
  process.exitCode = 1;
} else {
  console.log(`${result.trees} trees (seed ${result.seed}), 0 unexplained differences; ${result.qemuImgRuns} disks read by qemu-img`);
  console.log('base files:', result.fates);
  console.log('trees with known differences (docs/nova-parity.md):', result.excused);
}
