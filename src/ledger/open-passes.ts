import type { IntentRange, IntentRecord, LedgerRecord } from '../model/ledger/records.ts';

/** A pass that has not come to its end, as far as the records say. */
export interface OpenPass {
  /** Number of its record. */
  readonly pass: number;
  /** Undefined where its record was dropped. */
  readonly basePath: string | undefined;
  /** Those without an outcome. */
  readonly intents: readonly NumberedIntent[];
}

type NumberedIntent = IntentRecord & Pick<LedgerRecord, 'seq'>;

/** Passes of these records that have neither an end nor were found by another process. */
export function openPasses(records: Iterable<LedgerRecord>): OpenPass[] {
  const open = new Map<number, { pass: number; basePath: string | undefined; intents: Map<number, NumberedIntent> }>();
  const passOf = (pass: number) => {
    const known = open.get(pass) ?? { pass, basePath: undefined, intents: new Map<number, NumberedIntent>() };
    open.set(pass, known);
    return known;
  };
  for (const record of records) {
    if (record.type === 'pass') passOf(record.seq).basePath = record.basePath;
    else if (record.type === 'intent') passOf(record.pass).intents.set(record.seq, record);
    else if (record.type === 'outcome') for (const seq of numbersOf(record.intents)) open.get(record.pass)?.intents.delete(seq);
    else if (record.type !== 'evidence' && record.pass !== undefined) open.delete(record.pass);
  }
  return [...open.values()].map(({ intents, ...rest }) => ({ ...rest, intents: [...intents.values()] }));
}

function* numbersOf(ranges: readonly IntentRange[]): Generator<number, void, void> {
  for (const [first, last] of ranges) for (let seq = first; seq <= last; seq += 1) yield seq;
}

/** Ascending numbers as ranges. */
export function toRanges(numbers: readonly number[]): IntentRange[] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
