/** `npm run fuzz -- [--headers N] [--ledgers N] [--seed S]`: mutilated qcow2 headers and the chains that they claim, and ledgers that were changed. */
import { parseArgs } from 'node:util';
import { fuzzHeaders } from '../test/hostile/headers.ts';
import { tryChanges } from '../test/hostile/ledger.ts';
import { Random } from '../test/hostile/random.ts';

const { values } = parseArgs({
  options: { headers: { type: 'string', default: '1000000' }, ledgers: { type: 'string', default: '10000' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
console.error(`seed ${seed}`);
const { headers, kinds, chains, grownBytes } = fuzzHeaders({ headers: Number(values.headers), seed });
console.log(`${headers} headers, ${chains} chains of several files, no crash, no look outside the tree`, kinds);
console.log(`resident memory over the second half: ${grownBytes >= 0 ? '+' : ''}${(grownBytes / 2 ** 20).toFixed(1)} MiB`);
if (grownBytes > 64 * 2 ** 20) throw new Error('memory grew');

const { changes, missed, found } = tryChanges({ changes: Number(values.ledgers), random: new Random(seed) });
console.log(`${changes} changes of a ledger, ${missed.length} not found`, found);
if (missed.length > 0) throw new Error(missed.join('\n'));
