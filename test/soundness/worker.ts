/** Runs its share of the layouts and sends what came of it to the process that forked it. */
import { runSoundness } from './run.ts';

/** What a worker is asked for, as its only argument. */
export interface Share {
  readonly seed: number;
  /** Indexes from here on. */
  readonly begin: number;
  readonly end: number;
  /** Only every so many. */
  readonly step: number;
  readonly reductions: number;
}

const { seed, begin, end, step, reductions } = JSON.parse(process.argv[2] ?? '') as Share;

function* indexes(): Generator<number> {
  for (let index = begin; index < end; index += step) yield index;
}

const result = await runSoundness({
  seed,
  indexes: indexes(),
  reductions,
  onLayout: ({ layouts, faults }) => process.send?.({ layouts, lost: faults.lost }),
});
process.send?.({ result });
