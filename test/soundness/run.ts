import { mkdtempSync, rmSync, chmodSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge, type Fault, type Verdict } from './judge.ts';
import { featuresOf, randomLayout, type Layout } from './layout.ts';
import { reduce } from './reduce.ts';
import { Templates } from './images.ts';

/** One kind of fault: what it takes, how often it was seen, and how to make it. */
export interface Kind {
  readonly fault: Fault;
  /** Choices that are not plain, of the smallest layout that has it. */
  readonly features: readonly string[];
  readonly message: string;
  readonly recipe: string;
  readonly layout: Layout;
  count: number;
}

export interface SoundnessResult {
  layouts: number;
  held: number;
  removed: number;
  overKept: number;
  readonly faults: Record<Fault, number>;
  readonly kinds: Kind[];
}

export interface SoundnessOptions {
  readonly seed: number;
  /** Indexes of the layouts; each is the same in every run with this seed. */
  readonly indexes: Iterable<number>;
  /** How many faults are reduced; a fault whose kind is known is only counted. */
  readonly reductions: number;
  readonly onLayout?: (result: SoundnessResult) => void;
}

/** One in so many passes is run by the program as it is shipped. */
const PROGRAM_EVERY = 10;

/** Random layouts, each with a pass over it; resolves with what was lost and what was not done. */
export async function runSoundness(options: SoundnessOptions): Promise<SoundnessResult> {
  const faults = { lost: 0, failed: 0, 'held-without-cause': 0, 'left-over': 0, 'not-actionable': 0 };
  const result: SoundnessResult = { layouts: 0, held: 0, removed: 0, overKept: 0, faults, kinds: [] };
  // In memory where that can be: a layout is some hundred system calls on small files.
  const parent = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'basekeeper-soundness-'));
  chmodSync(parent, 0o755);
  try {
    using templates = new Templates(parent);
    const tryLayout = (layout: Layout): Promise<Verdict> =>
      judge(layout, { parent, templates, program: layout.index % PROGRAM_EVERY === 0 });
    for (const index of options.indexes) {
      const layout = randomLayout(options.seed, index);
      const verdict = await tryLayout(layout);
      result.layouts += 1;
      result.held += Number(verdict.held);
      result.removed += verdict.removed;
      result.overKept += verdict.overKept;
      if (verdict.fault !== undefined) await file(result, layout, verdict, options.reductions, tryLayout);
      options.onLayout?.(result);
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
  return result;
}

/** Files a fault under its kind: a known one, or the one that it is reduced to. */
async function file(
  result: SoundnessResult,
  layout: Layout,
  verdict: Verdict,
  reductions: number,
  tryLayout: (layout: Layout) => Promise<Verdict>,
): Promise<void> {
  const { fault } = verdict;
  if (fault === undefined) return;
  result.faults[fault] += 1;
  const parts = verdict.part === undefined ? layout.parts : layout.parts.filter(({ id }) => id === verdict.part);
  const features = new Set([...parts.flatMap((part) => featuresOf(layout, part)), ...featuresOf(layout, undefined)]);
  const known = result.kinds.find((kind) => kind.fault === fault && kind.features.every((feature) => features.has(feature)));
  if (known !== undefined) known.count += 1;
  if (known !== undefined || result.kinds.filter((kind) => kind.fault === fault).length >= reductions) return;
  let last = verdict;
  const smallest = await reduce(layout, async (smaller) => {
    const again = await tryLayout(smaller);
    if (again.fault === fault) last = again;
    return again.fault === fault;
  });
  const own = smallest.parts.flatMap((part) => featuresOf({ ...smallest, extras: [] }, part));
  const kind = {
    fault,
    features: [...new Set([...own, ...featuresOf(smallest, undefined)])],
    message: last.message,
    recipe: last.recipe,
    layout: smallest,
  };
  const same = result.kinds.find((other) => other.fault === fault && other.features.join() === kind.features.join());
  if (same === undefined) result.kinds.push({ ...kind, count: 1 });
  else same.count += 1;
}
