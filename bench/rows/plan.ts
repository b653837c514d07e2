import type { Row } from '../../scripts/lib/results.ts';
import { file, timed } from '../lib/child.ts';
import type { Bench } from '../lib/row.ts';
import { seconds } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

const GOAL_TIMES = 3;
const GOAL_SECONDS = 0.25;

/** A command against a bare script that makes the same look at the disk, turn by turn. */
export const planBench: Bench = {
  name: 'plan',
  async run({ root, bundle, quick, say }): Promise<Row[]> {
    const tree = buildTree(root, { files: 10_000, vms: 500 });
    const args = [bundle, 'plan', '--instances-path', tree.instancesPath, '--workloads', tree.workloadsPath, '--output', 'json'];
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < (quick ? 5 : 15); run += 1) {
      ours.push(await timed(process.execPath, args, { ...process.env, NODE_NAME: 'bench' }));
      bare.push(await timed(process.execPath, [file('children/bare-plan.mjs'), tree.instancesPath]));
    }
    tree.remove();
    // The fastest of each: others may be at work on the machine.
    const [our, script] = [Math.min(...ours), Math.min(...bare)];
    const times = our / script;
    say(`  plan ${seconds(our)}, bare script ${seconds(script)}: ${times.toFixed(1)} ×`);
    return [
      {
        id: 'command-plan',
        what: 'whole `basekeeper plan` process, 10k files, 500 VMs, the fastest of its runs',
        against: `a bare script that lists, lstats and reads the 500 headers: ${seconds(script)}`,
        goal: `≤ ${GOAL_TIMES} ×, ${GOAL_SECONDS} s`,
        figure: `${seconds(our)}: ${times.toFixed(1)} ×`,
        met: times <= GOAL_TIMES && our <= GOAL_SECONDS,
        measures: { oursSeconds: ours, bareSeconds: bare, times },
      },
    ];
  },
};
