import type { OutcomeRecord, RecordedOutcome } from '../model/ledger/records.ts';
import { toRanges } from './open-passes.ts';

/** Longer messages are cut: many files may have one each. */
const MAX_MESSAGE = 1000;

/** What became of intents, until it is written: one record for all that came to the same. */
export class Outcomes {
  readonly #byOutcome = new Map<string, { outcome: RecordedOutcome; message: string | undefined; intents: number[] }>();

  add(intent: number, outcome: RecordedOutcome, message: string | undefined): void {
    const text = message?.slice(0, MAX_MESSAGE);
    const key = JSON.stringify([outcome, text]);
    const same = this.#byOutcome.get(key);
    if (same === undefined) this.#byOutcome.set(key, { outcome, message: text, intents: [intent] });
    else same.intents.push(intent);
  }

  entries(pass: number): OutcomeRecord[] {
    return [...this.#byOutcome.values()].map(({ outcome, message, intents }) => ({
      type: 'outcome',
      pass,
      outcome,
      intents: toRanges(intents.toSorted((a, b) => a - b)),
      ...(message === undefined ? {} : { message }),
    }));
  }

  clear(): void {
    this.#byOutcome.clear();
  }
}
