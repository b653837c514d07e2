import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../../scripts/lib/results.ts';
import { enforceBare, enforceNova, enforceOurs, longestHold, type Enforced, type PassRun } from '../lib/enforcing.ts';
import { imageSettings } from '../lib/image.ts';
import type { Bench, BenchContext } from '../lib/row.ts';
import { seconds, slope } from '../lib/stats.ts';
import { buildTree, type BenchTree, type TreeSize } from '../lib/tree.ts';

const GOAL_TIMES = 50;
const MAX_EXPONENT = 1.1;
const MAX_HOLD_MS = 250;
/** Of the files that are old enough, 85 of 100 are ours and in no use. */
const MAIN: TreeSize = { files: 10_000, vms: 500, young: 3_750, locks: true };
const QUICK_MAIN: TreeSize = { files: 1000, vms: 50, locks: true };

/** The main job: passes that remove, against the real Nova's on copies of the same tree. */
export const removalsBench: Bench = {
  name: 'removals',
  async run(context) {
    // Its trees stay until the end, out of the way of the others.
    const root = mkdtempSync(join(context.root, 'removals-'));
    const here = { ...context, root };
    const size = context.quick ? QUICK_MAIN : MAIN;
    return [
      ...(await againstNova(here, size)),
      await holds(here, size),
      await asInImage(here, size),
      await limited(here),
      ...(await matrix(here)),
    ];
  },
};

async function againstNova({ root, bundle, quick, say }: BenchContext, size: TreeSize): Promise<Row[]> {
  const tree = buildTree(root, size);
  const ours: Enforced[] = [];
  const novas: Enforced[] = [];
  const bares: Enforced[] = [];
  const pairs: Enforced[] = [];
  // Turn by turn, and the fastest of each: others may be at work on the machine.
  for (let turn = 0; turn < 2; turn += 1) {
    for (let run = 0; run < 2; run += 1) {
      ours.push(await enforceOurs(bundle, tree));
      bares.push(await enforceBare(tree, fastest(ours).removed));
      pairs.push(await enforceBare(tree, fastest(ours).removed, 2));
    }
    novas.push(await enforceNova(tree));
  }
  const [our, nova, bare] = [fastest(ours), fastest(novas), fastest(bares)];
  const both = [...our.removed].filter((name) => nova.removed.has(name)).length;
  const [onlyOurs, onlyNovas] = [our.removed.size - both, nova.removed.size - both];
  const times = nova.seconds / our.seconds;
  const shown = `${seconds(our.seconds)}, Nova ${seconds(nova.seconds)}, a bare script ${seconds(bare.seconds)}`;
  say(`  ${our.removed.size} removals, ${size.vms} VMs: ${shown}; both removed ${both}`);
  const main: Row = {
    id: 'removals-nova',
    what: `an enforcing pass, whole process: ${size.files / 1000}k files, ${size.vms} VMs, ${our.removed.size.toLocaleString('en')} removals`,
    against: `the real Nova's enforcing pass on a copy of the same tree: ${seconds(nova.seconds)}, ${nova.removed.size.toLocaleString('en')} removals`,
    goal: quick ? '–' : `≥ ${GOAL_TIMES} times faster, the same files removed`,
    figure: `${seconds(our.seconds)}: ${times.toFixed(0)} times faster; both removed ${both.toLocaleString('en')} files, only ours ${onlyOurs}, only Nova ${onlyNovas}`,
    met: quick ? undefined : times >= GOAL_TIMES && onlyOurs === 0,
    measures: {
      oursSeconds: ours.map((run) => run.seconds),
      novaSeconds: novas.map((run) => run.seconds),
      both,
      onlyOurs,
      onlyNovas,
      times,
    },
  };
  return [main, floorRow({ our, nova, bare, pair: fastest(pairs) })];
}

/** How much of the pass is Node.js and the kernel: what no change of ours can win. */
function floorRow({ our, nova, bare, pair }: Readonly<Record<'our' | 'nova' | 'bare' | 'pair', Enforced>>): Row {
  if (bare.removed.size !== our.removed.size) throw new Error(`the bare script removed ${bare.removed.size} files`);
  const [ofNova, ofOurs] = [nova.seconds / bare.seconds, our.seconds / bare.seconds];
  return {
    id: 'removals-floor',
    what: 'a bare Node.js script that removes the same files by the same 14 system calls each, lists, lstats and reads the headers twice, and decides nothing',
    against: `such a pass of ours: ${seconds(our.seconds)}`,
    goal: '–',
    figure: `${seconds(bare.seconds)}: ${ofNova.toFixed(0)} times faster than Nova; ours takes ${ofOurs.toFixed(1)} × as long; in two threads ${seconds(pair.seconds)}`,
    met: undefined,
    measures: { bareSeconds: bare.seconds, twoThreadsSeconds: pair.seconds, ofNova, ofOurs },
  };
}

async function holds({ root, bundle, quick, say }: BenchContext, size: TreeSize): Promise<Row> {
  const hold = await longestHold(bundle, buildTree(join(root, 'holds'), size));
  const shown = `${Math.round(hold.seconds * 1000)} ms`;
  say(`  the longest of ${hold.locks} locks was held for ${shown}`);
  return {
    id: 'removals-hold',
    what: `the longest time that a lock of Nova's was held in such a pass, seen by strace`,
    against: '–',
    goal: quick ? '–' : `≤ ${MAX_HOLD_MS} ms`,
    figure: shown,
    met: quick ? undefined : hold.seconds * 1000 <= MAX_HOLD_MS,
    measures: { ...hold },
  };
}

/** The image leaves the optimizing compiler out, for the sake of memory: what an agent in a pod does takes longer than these commands. */
async function asInImage(context: BenchContext, size: TreeSize): Promise<Row> {
  const tree = buildTree(join(context.root, 'image'), size);
  return await passAndHold(
    context,
    tree,
    { image: imageSettings() },
    {
      id: 'removals-image',
      what: 'such a pass by the flags of the image, which leaves the optimizing compiler out',
      shown: 'by the flags of the image',
    },
  );
}

/** With the limit of removals that a pass has by default, most files that could go wait. */
async function limited(context: BenchContext): Promise<Row> {
  const files = context.quick ? 4000 : 40_000;
  const tree = buildTree(join(context.root, 'limited'), { files, vms: 500, locks: true });
  return await passAndHold(
    context,
    tree,
    { settings: {} },
    {
      id: 'removals-limit',
      what: `an enforcing pass with the default limit of removals, whole process: ${files / 1000}k files, 500 VMs`,
      shown: `the default limit of removals, ${files} files`,
    },
  );
}

/** How long the fastest of some passes took, and how long one of them held a lock at most. */
async function passAndHold(
  { bundle, quick, say }: BenchContext,
  tree: BenchTree,
  run: PassRun,
  { id, what, shown }: Pick<Row, 'id' | 'what'> & { readonly shown: string },
): Promise<Row> {
  const runs: Enforced[] = [];
  for (let turn = 0; turn < (quick ? 1 : 3); turn += 1) runs.push(await enforceOurs(bundle, tree, run));
  const { seconds: passSeconds, removed } = fastest(runs);
  const hold = await longestHold(bundle, tree, run);
  const figure = `${seconds(passSeconds)}, ${removed.size.toLocaleString('en')} removals, a lock held for at most ${Math.round(hold.seconds * 1000)} ms`;
  say(`  ${shown}: ${figure}`);
  return {
    id,
    what,
    against: '–',
    goal: quick ? '–' : `≤ ${MAX_HOLD_MS} ms`,
    figure,
    met: quick ? undefined : hold.seconds * 1000 <= MAX_HOLD_MS,
    measures: { seconds: passSeconds, removed: removed.size, hold: hold.seconds },
  };
}

function fastest(runs: readonly Enforced[]): Enforced {
  const [first, ...others] = runs;
  if (first === undefined) throw new Error('nothing ran');
  return others.reduce((best, run) => (run.seconds < best.seconds ? run : best), first);
}

/** Removals × directories. The exponents are those of the whole process, along the edge where the other is smallest. */
async function matrix(context: BenchContext): Promise<Row[]> {
  const removals = context.quick ? [1000, 4000] : [1000, 5000, 20_000];
  const directories = context.quick ? [100, 400] : [100, 500, 2000];
  const cells: { readonly removals: number; readonly directories: number; readonly seconds: number }[] = [];
  for (const [row, many] of removals.entries()) {
    for (const [column, vms] of directories.entries()) {
      if (row > 0 && column > 0 && context.quick) continue;
      const passSeconds = await cell(context, many, vms);
      cells.push({ removals: many, directories: vms, seconds: passSeconds });
    }
  }
  const along = (pick: (it: (typeof cells)[number]) => boolean, by: 'removals' | 'directories'): number =>
    slope(cells.filter(pick).map((it) => [Math.log(it[by]), Math.log(it.seconds)]));
  const byRemovals = along((it) => it.directories === directories[0], 'removals');
  const byDirectories = along((it) => it.removals === removals[0], 'directories');
  const table = cells.map((it) => `${it.removals} × ${it.directories}: ${seconds(it.seconds)}`).join(', ');
  const worst = Math.max(byRemovals, byDirectories);
  return [
    {
      id: 'removals-growth',
      what: 'growth of an enforcing pass, whole process: removals × instance directories',
      against: '–',
      goal: `exponents ≤ ${MAX_EXPONENT}`,
      figure: `${byRemovals.toFixed(2)} in removals, ${byDirectories.toFixed(2)} in directories (${table})`,
      met: context.quick ? undefined : worst <= MAX_EXPONENT,
      measures: { byRemovals, byDirectories, seconds: cells.map((it) => it.seconds) },
    },
  ];
}

/** The fastest of some passes that remove `removals` files. */
async function cell({ root, bundle, quick, say }: BenchContext, removals: number, vms: number): Promise<number> {
  // Of ten files nine are ours, and six of them are originals, the first of which are in use.
  const files = Math.ceil((removals + vms) / 9) * 10;
  const tree = buildTree(root, { files, vms, locks: true });
  const runs: Enforced[] = [];
  for (let run = 0; run < (quick ? 1 : 3); run += 1) runs.push(await enforceOurs(bundle, tree));
  const best = fastest(runs);
  if (Math.abs(best.removed.size - removals) > 0.02 * removals)
    throw new Error(`${best.removed.size} files were removed, not some ${removals}`);
  say(`  ${removals} removals × ${vms} directories: ${seconds(best.seconds)}`);
  return best.seconds;
}
