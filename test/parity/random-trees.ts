import * as fc from 'fast-check';
import { Pair } from './pair.ts';
import { anyTree } from './any-tree.ts';
import type { Tree } from './tree-spec.ts';

export interface ParityRun {
  readonly trees: number;
  readonly seed?: number | undefined;
  /** Replays one tree of a seed, as a failure prints it. */
  readonly path?: string | undefined;
  /** One that can import the Nova to compare with. Default: Debian's. */
  readonly python?: string | undefined;
  /** Told after each tree that was not part of a reduction. */
  readonly onTree?: ((done: number) => void) | undefined;
}

export interface ParityResult {
  readonly trees: number;
  readonly seed: number;
  /** Known differences by name, with the number of trees that showed them. */
  readonly excused: Readonly<Record<string, number>>;
  /** Base files by what both managers did with them. */
  readonly fates: Readonly<Record<string, number>>;
  readonly qemuImgRuns: number;
  /** Undefined: no unexplained difference. */
  readonly failure: ParityFailure | undefined;
}

export interface ParityFailure {
  readonly seed: number;
  readonly path: string;
  /** The smallest tree found that still differs. */
  readonly tree: Tree;
  readonly differences: readonly string[];
}

/** Compares Basekeeper with the real Nova on random trees, and reduces the first that differs. */
export async function compareRandomTrees(run: ParityRun): Promise<ParityResult> {
  await using pair = new Pair(run.python);
  const excused: Record<string, number> = {};
  const fates: Record<string, number> = {};
  let [trees, qemuImgRuns] = [0, 0];
  const property = fc.asyncProperty(anyTree, async (tree) => {
    const { ours, nova, excused: names, unexplained } = await pair.compare(tree);
    trees++;
    run.onTree?.(trees);
    qemuImgRuns += nova.qemuImg.run;
    for (const name of names) excused[name] = (excused[name] ?? 0) + 1;
    for (const fate of Object.values(ours.base)) fates[fate] = (fates[fate] ?? 0) + 1;
    if (unexplained.length > 0) throw new UnexplainedError(unexplained);
  });
  const details = await fc.check(property, {
    numRuns: run.trees,
    ...(run.seed === undefined ? {} : { seed: run.seed }),
    ...(run.path === undefined ? {} : { path: run.path }),
  });
  return { trees, seed: details.seed, excused, fates, qemuImgRuns, failure: failureOf(details) };
}

class UnexplainedError extends Error {
  override readonly name = 'UnexplainedError';
  readonly differences: readonly string[];
  constructor(differences: readonly string[]) {
    super(differences.join('\n'));
    this.differences = differences;
  }
}

function failureOf(details: fc.RunDetails<[Tree]>): ParityFailure | undefined {
  if (!details.failed) return undefined;
  const [tree] = details.counterexample ?? [];
  if (tree === undefined || !(details.errorInstance instanceof UnexplainedError)) throw details.errorInstance;
  return { seed: details.seed, path: details.counterexamplePath ?? '', tree, differences: details.errorInstance.differences };
}

/** For people: what differs, on which tree, and how to see it again. */
export function describeFailure({ seed, path, tree, differences }: ParityFailure): string {
  return [
    'Basekeeper and Nova differ without a reason that docs/nova-parity.md knows:',
    ...differences.map((difference) => `  ${difference}`),
    `the smallest such tree:\n${JSON.stringify(tree, undefined, 2)}`,
    `again: npm run parity -- --seed ${seed} --path '${path}'`,
  ].join('\n');
}
