import { timestamp } from '../lib/timestamp.ts';
import type { Evidence, Intent, LateOutcome, LedgerEntry, RecordedOutcome } from '../model/ledger/records.ts';

interface OwedRemoval {
  readonly evidence: Evidence;
  readonly intent: Intent;
  /** RFC 3339: when it would have been recorded. */
  readonly intendedAt: string;
  came?: LateOutcome | undefined;
}

/** Whether the file that was to make room went. */
export function isGone(outcome: RecordedOutcome): boolean {
  return outcome === 'removed' || outcome === 'emptied';
}

/** Removals that make room on a file system that had none for their record. They are recorded as soon as there is some. */
export class Owed {
  readonly #removals: OwedRemoval[] = [];

  get size(): number {
    return this.#removals.length;
  }

  /** Of how many the file is gone. */
  get gone(): number {
    return this.#removals.filter(({ came }) => came !== undefined && isGone(came.outcome)).length;
  }

  /** Returns a number that no record has. */
  add(evidence: Evidence, intent: Intent, nowMs: number): number {
    this.#removals.push({ evidence, intent, intendedAt: timestamp(nowMs) });
    return -this.#removals.length;
  }

  /** What became of the removal with a number of `add`. */
  outcome(number: number, outcome: RecordedOutcome, message: string | undefined): void {
    const removal = this.#removals[-number - 1];
    if (removal !== undefined) removal.came = { outcome, message };
  }

  /** @param add returns the number that the entry gets. */
  record(pass: number, add: (entry: LedgerEntry) => number): void {
    for (const { evidence, intent, intendedAt, came } of this.#removals) {
      const read = add({ type: 'evidence', pass, ...evidence });
      const seq = add({ type: 'intent', pass, evidence: read, ...intent, intendedAt });
      if (came === undefined) continue;
      const { outcome, message } = came;
      add({ type: 'outcome', pass, outcome, intents: [[seq, seq]], ...(message === undefined ? {} : { message }) });
    }
  }

  clear(): void {
    this.#removals.length = 0;
  }
}
