import { countOf, listSome } from '../../lib/text.ts';
import type { IntentRange, LedgerRecord } from '../../model/ledger/records.ts';
import { parseLine } from '../line.ts';
import { advice } from './advice.ts';
import { behind, numberAt } from './bytes.ts';
import type { ReadRecord } from './chain.ts';
import { OpenIntents } from './open-intents.ts';
import type { Problems } from './problems.ts';

/** Removals, by the name of their outcome. A restored file is recorded when it loses its name in the trash, which may be passes later. */
const CHANGES = ['removed', 'trashed', 'emptied'] as const;
/** Behind `"at":"2026-11-29T11:00:00.000Z","type":"`. */
const TYPE_AT = 40;
const INTENT = 'intent","pass":';
const SHOWN = 5;

/** A pass as far as it is recorded. */
interface PassTally {
  /** Intents without an outcome. */
  readonly open: OpenIntents;
  readonly done: Map<string, number>;
  /** Undefined where its beginning is not in the ledger any more: then its counts prove nothing. */
  begun: boolean;
}

/** Where the record that is counted stands. */
export type Whereabouts = () => { readonly segment: string; readonly line: number };

/** Counts what the records of a ledger say, and compares what passes meant to do with what became of it. */
export class Tally {
  readonly #problems: Problems;
  readonly #where: Whereabouts;
  /** Those that have not ended. */
  readonly #passes = new Map<number, PassTally>();
  readonly #outcomes = new Map<string, number>();
  #begun = 0;
  #intents = 0;
  #interrupted = 0;

  constructor(problems: Problems, where: Whereabouts) {
    this.#problems = problems;
    this.#where = where;
  }

  get passes(): number {
    return this.#begun;
  }
  get intents(): number {
    return this.#intents;
  }
  get outcomes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#outcomes);
  }

  /** Returns whether this version can read it. */
  record(record: ReadRecord): boolean {
    const { seq, buffer, start, after, end } = record;
    // Nearly every record is an intent, and what there is to know of it is its number.
    const at = behind(INTENT, buffer, after + TYPE_AT);
    const pass = at < 0 ? 0 : numberAt(buffer, at);
    if (pass > 0) this.#intent(seq, pass);
    const other = pass > 0 ? undefined : parseLine(buffer.toString('utf8', start, end));
    if (other !== undefined) this.#other(seq, other);
    return pass > 0 || other !== undefined;
  }

  /** What an operator may want to know once all is read. */
  notes(): readonly string[] {
    const unended = [...this.#passes].filter(([, { open }]) => open.size > 0);
    const interrupted =
      this.#interrupted === 0
        ? []
        : [
            `${countOf(this.#interrupted, 'removal')} of passes that were killed, or could not record their end: the next pass found out what became of each`,
          ];
    return [
      ...interrupted,
      ...unended.map(
        ([pass, { open }]) =>
          `pass ${pass} has not ended, and ${countOf(open.size, 'intent')} of it ${open.size === 1 ? 'has' : 'have'} no outcome: it is at work, or was killed; the next pass finds out`,
      ),
    ];
  }

  #intent(seq: number, pass: number): void {
    this.#intents += 1;
    this.#passOf(pass).open.add(seq);
  }

  #other(seq: number, record: LedgerRecord): void {
    if (record.type === 'pass') this.#pass(seq);
    else if (record.type === 'intent') this.#intent(seq, record.pass);
    else if (record.type === 'outcome') this.#outcome(record.pass, record.outcome, record.intents);
    else if (record.type === 'end') this.#end(record.pass, record.outcomes);
    else if (record.type === 'recovered') this.#recovered(record);
  }

  #pass(seq: number): void {
    this.#begun += 1;
    this.#passOf(seq).begun = true;
  }

  #passOf(pass: number): PassTally {
    const known = this.#passes.get(pass);
    if (known !== undefined) return known;
    const made = { open: new OpenIntents(), done: new Map<string, number>(), begun: false };
    this.#passes.set(pass, made);
    return made;
  }

  #outcome(pass: number, outcome: string, ranges: readonly IntentRange[]): void {
    const { open, done, begun } = this.#passOf(pass);
    const settled = open.settle(ranges);
    count(done, outcome, settled);
    count(this.#outcomes, outcome, settled);
    const named = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    if (settled !== named && begun)
      this.#add(
        'OutcomeUnexplained',
        `${outcome} is said of ${countOf(named, 'intent')} of pass ${pass}, and ${settled} of these waited for it${advice.changed}`,
      );
  }

  #end(pass: number, counted: Readonly<Record<string, number>>): void {
    const { open, done, begun } = this.#passOf(pass);
    this.#passes.delete(pass);
    if (open.size > 0) {
      const which = listSome(open.first(SHOWN).map(String), SHOWN, open.size);
      this.#add(
        'IntentUnanswered',
        `pass ${pass} has ended, and the outcome of ${countOf(open.size, 'intent')} is not recorded: ${which}${advice.files}`,
      );
    }
    for (const change of begun ? CHANGES : []) {
      const [said, recorded] = [counted[change] ?? 0, done.get(change) ?? 0];
      if (said > recorded)
        this.#add('MoreRemovedThanRecorded', `pass ${pass} counted ${said} × ${change}, and ${recorded} are recorded${advice.missing}`);
    }
  }

  #recovered({ pass, gone = [], there = [], unknown = [] }: Extract<LedgerRecord, { type: 'recovered' }>): void {
    if (pass === undefined) return;
    const { open } = this.#passOf(pass);
    const settled = open.settle([...gone, ...there, ...unknown]);
    this.#interrupted += settled;
    count(this.#outcomes, 'interrupted', settled);
    if (open.size === 0) this.#passes.delete(pass);
  }

  #add(kind: 'OutcomeUnexplained' | 'IntentUnanswered' | 'MoreRemovedThanRecorded', message: string): void {
    this.#problems.add({ kind, ...this.#where(), message });
  }
}

function count(counts: Map<string, number>, key: string, more: number): void {
  if (more > 0) counts.set(key, (counts.get(key) ?? 0) + more);
}
