import { measureIn } from '../lib/child.ts';
import type { Bench } from '../lib/row.ts';
import { median, seconds } from '../lib/stats.ts';
import { buildTree } from '../lib/tree.ts';

interface Figures {
  readonly first: number;
  readonly second: number;
  readonly firstHeaders: number;
  readonly secondHeaders: number;
}

const GOAL = 0.5;

export const passesBench: Bench = {
  name: 'passes',
  async run({ root, quick, say }) {
    const tree = buildTree(root, { files: 10_000, vms: 500 });
    const runs: Figures[] = [];
    for (let run = 0; run < (quick ? 3 : 9); run += 1)
      runs.push(await measureIn<Figures>('passes.ts', tree.instancesPath, tree.workloadsPath));
    tree.remove();
    const first = median(runs.map((run) => run.first));
    const second = median(runs.map((run) => run.second));
    const headers = Math.max(...runs.map(({ secondHeaders }) => secondHeaders));
    say(`  first pass ${seconds(first)}, unchanged ${seconds(second)}, headers read again: ${headers}`);
    return [
      {
        id: 'unchanged-pass',
        what: 'a pass when nothing changed, 10k files and 500 overlays',
        against: `first pass of the process: ${seconds(first)}`,
        goal: `≤ ${GOAL} ×, no header read again`,
        figure: `${seconds(second)}: ${(second / first).toFixed(2)} ×, ${headers} headers`,
        met: second / first <= GOAL && headers === 0,
        measures: {
          firstSeconds: runs.map((run) => run.first),
          secondSeconds: runs.map((run) => run.second),
          firstHeaders: runs.map((run) => run.firstHeaders),
          secondHeaders: runs.map((run) => run.secondHeaders),
        },
      },
    ];
  },
};
