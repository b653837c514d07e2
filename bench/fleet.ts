/** npm run bench:fleet [-- --quick] [-- --agents N --idle-seconds S]: many agents' kube side against one real API server. */
import { parseArgs } from 'node:util';
import { runBenches } from './lib/run.ts';
import { fleetBench } from './rows/fleet.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, agents: { type: 'string' }, 'idle-seconds': { type: 'string' } },
});
const size = {
  agents: Number(values.agents ?? (values.quick ? 100 : 1000)),
  idleSeconds: Number(values['idle-seconds'] ?? (values.quick ? 20 : 600)),
};
await runBenches([fleetBench(size)], values);
