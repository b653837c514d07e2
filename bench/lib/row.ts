/** One line of the goal table, with what was measured. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly against: string;
  readonly goal: string;
  readonly figure: string;
  /** Undefined: there is no goal, or it could not be measured here; `note` says which. */
  readonly met: boolean | undefined;
  /** Raw figures, units in their names. */
  readonly measures: Readonly<Record<string, number | readonly number[]>>;
  readonly note?: string | undefined;
}

export interface BenchContext {
  /** Shorter windows and fewer repetitions: quick results are marked as such. */
  readonly quick: boolean;
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
