/** One safety rule taken away: the tests must notice. */
export interface Mutant {
  /** What the code no longer does, as a sentence about the program as it should be. */
  readonly rule: string;
  /** Occurs exactly once in `file`. */
  readonly from: string;
  readonly to: string;
  readonly file: string;
  /** Test files of which one must fail, the likeliest first. */
  readonly tests: readonly string[];
}

/** Mutants of one source file that the same tests are to notice. */
export interface MutantsOf {
  readonly file: string;
  readonly tests: readonly string[];
  readonly mutants: readonly MutantIn[];
}

type MutantIn = Pick<Mutant, 'rule' | 'from' | 'to'> & {
  /** Where the group's tests are not the ones. */
  readonly tests?: readonly string[];
};

export function flatten(groups: readonly MutantsOf[]): Mutant[] {
  return groups.flatMap(({ file, tests, mutants }) => mutants.map((mutant) => ({ file, tests, ...mutant })));
}

/** How often the mutant's snippet occurs in `text`; anything but 1 is a mistake in the list. */
export function occurrences(text: string, { from }: Pick<Mutant, 'from'>): number {
  return text.split(from).length - 1;
}
