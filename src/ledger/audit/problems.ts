import type { LedgerProblem } from '../../model/ledger/audit.ts';

/** A ledger of another program has one a line. */
const LISTED = 50;

/** What an audit has found so far: all of it is counted, the first of it is kept. */
export class Problems {
  readonly listed: LedgerProblem[] = [];
  #more = 0;

  get more(): number {
    return this.#more;
  }

  add(problem: LedgerProblem): void {
    if (this.listed.length < LISTED) this.listed.push(problem);
    else this.#more += 1;
  }
}
