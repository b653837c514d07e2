import type { ScanProblem } from '../model/scan.ts';
import { errnoOf, ownMessageOf } from '../lib/errors.ts';

/** More are counted, not listed: a directory that denies every entry would fill the memory. */
const LISTED_PROBLEMS = 100;

/** Collects what a scan could not read. */
export class ProblemLog {
  readonly #listed: ScanProblem[] = [];
  #unlisted = 0;

  add(problem: ScanProblem): void {
    if (this.#listed.length < LISTED_PROBLEMS) this.#listed.push(problem);
    else this.#unlisted += 1;
  }

  /** Records a system error; one that has no errno is a bug and thrown on. */
  addError(path: string, error: unknown): void {
    const code = errnoOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    this.add({ path, code, message: ownMessageOf(error) });
  }

  list(): readonly ScanProblem[] {
    if (this.#unlisted === 0) return this.#listed;
    return [...this.#listed, { path: '.', code: 'E2BIG', message: `${this.#unlisted} more entries could not be read` }];
  }
}
