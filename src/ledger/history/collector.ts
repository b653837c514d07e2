import type { HistoryQuery } from '../../model/ledger/history.ts';
import type { IntentRange, LedgerEnd, LedgerRecord } from '../../model/ledger/records.ts';
import { digestOfName } from '../../model/names.ts';
import { hashLine, parseLine } from '../line.ts';
import { isCutOff, isWithoutEnd } from '../reading/cut-off.ts';
import type { LineSink } from '../reading/files.ts';
import { Pending, type Named, type Row } from './pending.ts';

const BEGINNING =
  /^\{"seq":([1-9]\d{0,14}),"prev":"[0-9a-f]{64}","at":"([^"\\]{20,30})","type":"([a-z]+)","pass":([1-9]\d{0,14}),"evidence":([1-9]\d{0,14}),/;
const BEGINNING_MAX_BYTES = 240;
const CLOSING = 0x7d;
/** Passes and readings of evidence that intents to come may name. */
const REMEMBERED = 64;

const FOUND = {
  gone: 'the process was killed; the next one found that the file was gone',
  there: 'the process was killed; the next one found the file still there',
  unknown: 'the process was killed; the next one could not find out what became of the file',
} as const;

type Intent = Extract<LedgerRecord, { type: 'intent' }>;

/** Takes the lines of a ledger, and keeps the intents that are asked for until their outcomes are known. */
export class Collector implements LineSink {
  readonly #pending = new Pending();
  readonly #passes = new Map<number, Named>();
  readonly #evidence = new Map<number, Named>();
  readonly #query: HistoryQuery;
  readonly #needles: readonly Buffer[];
  readonly #marked: string | undefined;
  #mark: LedgerEnd | undefined;
  #unreadable = 0;
  /** The line before is the beginning of a record: where none follows, it is being written. */
  #isCut = false;

  constructor(query: HistoryQuery) {
    this.#query = query;
    this.#marked = query.mark === undefined ? undefined : `{"seq":${query.mark},`;
    const needles = [query.file === undefined ? undefined : JSON.stringify(query.file), query.imageSha1];
    this.#needles = needles.filter((needle) => needle !== undefined).map((needle) => Buffer.from(needle));
  }

  /** The record whose hash was asked for. */
  get mark(): LedgerEnd | undefined {
    return this.#mark;
  }

  /** Lines that are not records of this version. */
  get unreadable(): number {
    return this.#unreadable;
  }

  take(all = false): readonly Row[] {
    return this.#pending.take(all);
  }

  line(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#followed();
    const beginning = buffer.toString('latin1', start, Math.min(end, start + BEGINNING_MAX_BYTES));
    if (this.#marked !== undefined && beginning.startsWith(this.#marked))
      this.#mark = { seq: this.#query.mark ?? 0, hash: hashLine(buffer.subarray(start, end)) };
    const found = BEGINNING.exec(beginning);
    if (buffer[end - 1] !== CLOSING) this.#notWhole(isCutOff(buffer, start, end));
    else if (found?.[3] === 'intent') this.#intent(found, buffer, start, end);
    else if (!this.#other(buffer.toString('utf8', start, end))) this.#notWhole(isCutOff(buffer, start, end));
  }

  longLine(): void {
    this.#followed();
    this.#unreadable += 1;
  }

  rest(buffer: Buffer, start: number, end: number): void {
    this.#followed();
    this.#notWhole(isWithoutEnd(buffer, start, end));
  }

  #notWhole(isCut: boolean): void {
    this.#isCut = isCut;
    if (!isCut) this.#unreadable += 1;
  }

  #followed(): void {
    if (this.#isCut) this.#unreadable += 1;
    this.#isCut = false;
  }

  /** By its beginning, without a look at the rest where it is not asked for. */
  #intent([, seq, at = '', , pass, evidence]: RegExpExecArray, buffer: Buffer, start: number, end: number): void {
    if (!this.#isWithin(at) || !this.#mentions(buffer, start, end)) return;
    const text = buffer.toString('utf8', start, end);
    if (this.#needles.length > 0 && !this.#isAsked(parseLine(text))) return;
    this.#keep({ seq: Number(seq), pass: Number(pass), evidence: Number(evidence) }, text);
  }

  #keep({ seq, pass, evidence }: Pick<Intent, 'seq' | 'pass' | 'evidence'>, text: string): void {
    const [passRecord, evidenceRecord] = [this.#passes.get(pass), this.#evidence.get(evidence)];
    this.#pending.add({ seq, pass, text, passRecord, evidenceRecord, settled: false });
  }

  #isWithin(at: string): boolean {
    const { sinceMs, untilMs } = this.#query;
    if (sinceMs === undefined && untilMs === undefined) return true;
    const atMs = Date.parse(at);
    return atMs >= (sinceMs ?? Number.NEGATIVE_INFINITY) && atMs <= (untilMs ?? Number.POSITIVE_INFINITY);
  }

  /** Whether the line can be of the file and of the image: nearly all are not, and are not read for that. */
  #mentions(buffer: Buffer, start: number, end: number): boolean {
    if (this.#needles.length === 0) return true;
    const line = buffer.subarray(start, end);
    return this.#needles.every((needle) => line.includes(needle));
  }

  #isAsked(record: LedgerRecord | undefined): boolean {
    if (record?.type !== 'intent') return false;
    const { file, imageSha1 } = this.#query;
    if (file !== undefined && record.name !== file && record.entry !== file) return false;
    return imageSha1 === undefined || (record.imageSha1 ?? digestOfName(record.name)) === imageSha1;
  }

  /** Returns whether it is a record. */
  #other(text: string): boolean {
    const record = parseLine(text);
    if (record === undefined) return false;
    if (record.type === 'pass') remember(this.#passes, { seq: record.seq, text });
    else if (record.type === 'evidence') remember(this.#evidence, { seq: record.seq, text });
    else if (record.type === 'outcome') this.#pending.outcome(record.intents, record.outcome, record.message);
    else if (record.type === 'end') this.#pending.end(record.pass);
    else if (record.type === 'recovered') this.#recovered(record);
    else if (this.#isWithin(record.at) && this.#isAsked(record)) this.#keep(record, text);
    return true;
  }

  #recovered(record: Extract<LedgerRecord, { type: 'recovered' }>): void {
    for (const what of ['gone', 'there', 'unknown'] as const) {
      const ranges: readonly IntentRange[] = record[what] ?? [];
      this.#pending.outcome(ranges, 'Interrupted', FOUND[what]);
    }
    if (record.pass !== undefined) this.#pending.end(record.pass);
  }
}

function remember(records: Map<number, Named>, record: Named): void {
  records.set(record.seq, record);
  const [oldest] = records.keys();
  if (records.size > REMEMBERED && oldest !== undefined) records.delete(oldest);
}
