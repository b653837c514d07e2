import type { Row } from '../../scripts/lib/results.ts';
import { startKubeServer } from '../../test/helpers/kube-server.ts';
import { LIMIT_MIB, limitedStart, MAX_READY_SECONDS, startTimes } from '../lib/limited-agent.ts';
import { createNode, populate, prepareServer } from '../lib/node-objects.ts';
import type { Bench } from '../lib/row.ts';
import { median, seconds } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

const STARTS = 11;
const NODE = 'node-ready';

/** From the start of an agent's process under a real memory limit to its first good answer of `/readyz`. */
export const readyBench: Bench = {
  name: 'ready',
  async run(context): Promise<Row[]> {
    const server = await startKubeServer({});
    context.defer(async () => server.stop());
    await prepareServer(server);
    await createNode(server, NODE);
    await populate(server, NODE, { pods: 300, vmis: 50, prefix: 'ready-' });
    const { instancesPath } = buildTree(context.root, { files: 1000, vms: 50 });
    const start = limitedStart(context);
    const settings = { instancesPath, intervalSeconds: 10 };
    const { agent, readySeconds } = await startTimes(context, server, NODE, settings, { start, starts: STARTS });
    await agent.stop();
    const { oomKills } = start.cgroup.use();
    const [middle, slowest] = [median(readySeconds), Math.max(...readySeconds)];
    context.say(`  ready after ${seconds(middle)}, at most ${seconds(slowest)}`);
    return [
      {
        id: 'memory-limit-ready',
        what: `start of an agent's process in a memory cgroup of ${LIMIT_MIB} MiB → ready, on a warm API server: 300 pods and 50 VMIs, 1k files`,
        against: '–',
        goal: `≤ ${MAX_READY_SECONDS} s`,
        figure: `at most ${seconds(slowest)} of ${STARTS} starts, median ${seconds(middle)}; ${oomKills} OOM kills`,
        met: oomKills === 0 && slowest <= MAX_READY_SECONDS,
        measures: { readySeconds, oomKills },
      },
    ];
  },
};
