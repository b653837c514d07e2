import type { Row } from '../../scripts/lib/results.ts';

export interface BenchContext {
  /** Shorter windows and fewer repetitions: quick results are marked as such. */
  readonly quick: boolean;
  /** How long `limit` runs; undefined: as long as its goal says. */
  readonly minutes: number | undefined;
  /** A directory of this run's own, removed afterwards. */
  readonly root: string;
  readonly bundle: string;
  readonly say: (line: string) => void;
  /** Run at the end, or when the bench is interrupted; the last first. */
  readonly defer: (cleanUp: () => void | Promise<void>) => void;
}

/** Measures one or more rows. */
export interface Bench {
  readonly name: string;
  readonly run: (context: BenchContext) => Promise<readonly Row[]>;
}
