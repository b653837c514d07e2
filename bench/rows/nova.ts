import { timed } from '../lib/child.ts';
import { novaPass } from '../lib/enforcing.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import type { Row } from '../../scripts/lib/results.ts';
import { median, seconds } from '../lib/stats.ts';
import { buildTree, type BenchTree, type TreeSize } from '../lib/tree.ts';

const SIZES: readonly TreeSize[] = [
  { files: 1000, vms: 100 },
  { files: 10_000, vms: 100 },
  { files: 10_000, vms: 500 },
];
const GOAL_TIMES = 200;
const TREES = 'flattering, a dry run against a pass: whole `basekeeper plan` process';

/** Dry runs of ours against Nova's pass, which looks at more: `removals` has the fair rows. Whole processes of ours, Nova without its imports. */
export const novaBench: Bench = {
  name: 'nova',
  async run(context) {
    const rows: Row[] = [];
    for (const size of context.quick ? SIZES.slice(0, 1) : SIZES) {
      const tree = buildTree(context.root, size);
      rows.push(await compare(context, tree, size));
      tree.remove();
    }
    return rows;
  },
};

async function compare({ bundle, quick, say }: BenchContext, tree: BenchTree, { files, vms }: TreeSize): Promise<Row> {
  const args = [bundle, 'plan', '--instances-path', tree.instancesPath, '--workloads', tree.workloadsPath, '--output', 'json'];
  const ours: number[] = [];
  for (let run = 0; run < (quick ? 3 : 9); run += 1) ours.push(await timed(process.execPath, args, { ...process.env, NODE_NAME: 'bench' }));
  const nova = await novaPass(tree, { removes: false });
  const times = nova.passSeconds / median(ours);
  say(`  ${files} files, ${vms} VMs: ${seconds(median(ours))}, Nova ${seconds(nova.passSeconds)}`);
  const judged = vms === 500;
  return {
    id: `plan-${files}-${vms}`,
    what: `${TREES}, ${files / 1000}k files, ${vms} VMs`,
    against: `the real Nova's pass: ${seconds(nova.passSeconds)} (importing it: ${seconds(nova.importSeconds)} more)`,
    goal: judged ? `≥ ${GOAL_TIMES} times faster` : '–',
    figure: `${seconds(median(ours))}: ${Math.round(times)} times faster`,
    met: judged ? times >= GOAL_TIMES : undefined,
    measures: { oursSeconds: ours, novaPassSeconds: nova.passSeconds, novaImportSeconds: nova.importSeconds, times },
  };
}
