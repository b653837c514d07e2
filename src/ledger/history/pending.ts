import type { IntentRange } from '../../model/ledger/records.ts';

/** A record that others name, kept as its text. */
export interface Named {
  readonly seq: number;
  readonly text: string;
}

/** An intent whose outcome may still come. */
export interface Row {
  readonly seq: number;
  readonly pass: number;
  /** Its line; it is read when it is shown. */
  readonly text: string;
  readonly passRecord: Named | undefined;
  readonly evidenceRecord: Named | undefined;
  outcome?: string;
  message?: string | undefined;
  /** Nothing more will be known of it. */
  settled: boolean;
}

/** A pass records outcomes a batch later. One that was killed leaves its rows here until the next record of its end, or until there are so many. */
const MOST = 20_000;

/** Rows in the order of the ledger, until their outcomes are known. */
export class Pending {
  readonly #waiting = new Map<number, Row>();
  #rows: Row[] = [];
  #next = 0;

  add(row: Row): void {
    this.#rows.push(row);
    this.#waiting.set(row.seq, row);
    if (this.#rows.length - this.#next > MOST) this.#settle(this.#rows[this.#next]);
  }

  outcome(ranges: readonly IntentRange[], outcome: string, message: string | undefined): void {
    for (const row of this.#within(ranges)) {
      row.outcome = outcome;
      row.message = message;
      this.#settle(row);
    }
  }

  end(pass: number): void {
    for (const row of this.#waiting.values()) if (row.pass === pass) this.#settle(row);
  }

  /** Those at the front that are settled; with `all`, everything. */
  take(all = false): readonly Row[] {
    const begin = this.#next;
    if (all) this.#next = this.#rows.length;
    while (this.#rows[this.#next]?.settled === true) this.#next += 1;
    const taken = this.#rows.slice(begin, this.#next);
    if (this.#next > MOST) {
      this.#rows = this.#rows.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  #settle(row: Row | undefined): void {
    if (row === undefined) return;
    row.settled = true;
    this.#waiting.delete(row.seq);
  }

  /** However long a range claims to be, no more is looked at than waits. */
  *#within(ranges: readonly IntentRange[]): Generator<Row> {
    for (const [first, last] of ranges) {
      if (last - first >= this.#waiting.size) {
        for (const row of this.#waiting.values()) if (row.seq >= first && row.seq <= last) yield row;
      } else {
        for (let seq = first; seq <= last; seq += 1) {
          const row = this.#waiting.get(seq);
          if (row !== undefined) yield row;
        }
      }
    }
  }
}
