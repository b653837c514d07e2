import { hash } from 'node:crypto';
import type { NotedEnd } from '../../model/ledger/audit.ts';
import type { LedgerEnd, LedgerHead } from '../../model/ledger/records.ts';
import { isCutOff, isWithoutEnd } from '../reading/cut-off.ts';
import type { LineSink } from '../reading/files.ts';
import type { Problems } from './problems.ts';
import { advice } from './advice.ts';
import { behindLink } from './bytes.ts';

/** Where a ledger begins: the number of its first record, and the hash of the one before it. */
type Beginning = LedgerHead['first'];

/** A record whose number is known. Its bytes belong to the reader of the file. */
export interface ReadRecord {
  readonly seq: number;
  readonly buffer: Buffer;
  readonly start: number;
  /** Where in the buffer follows what comes after `prev`. */
  readonly after: number;
  readonly end: number;
}

interface Cut {
  readonly segment: string;
  readonly line: number;
  readonly what: string;
}

interface Link extends LedgerEnd {
  readonly segment: string;
  readonly line: number;
}

const START = /^\{"seq":(\d{1,15}),"prev":"([0-9a-f]{64})",/;
const START_MAX_BYTES = 110;
const CLOSING = 0x7d;
const NO_MARKS: readonly NotedEnd[] = [];

export interface ChainOptions {
  /** What the first record has to be. */
  readonly beginning: Beginning;
  readonly marks: readonly NotedEnd[];
  readonly problems: Problems;
  /** Returns whether it can be read. */
  readonly visit: (record: ReadRecord) => boolean;
}

/**
 * Follows the chain: each line names its number and the hash of the line before. After a break it goes on from there, so that a ledger with
 * one wound has one problem.
 */
export class Chain implements LineSink {
  readonly #options: ChainOptions;
  readonly #marks: ReadonlyMap<number, readonly NotedEnd[]>;
  readonly #met = new Set<NotedEnd>();
  #segment = '';
  #line = 0;
  #blank = 0;
  #records = 0;
  #first: Link | undefined;
  #last: Link | undefined;
  /** Where the chain goes on when records that do not belong there are over. */
  #furthest: Link | undefined;
  /** The line before was not a record: it may stand where one was. */
  #afterJunk = false;
  /** A line that is the beginning of a record, as long as none follows. */
  #cut: Cut | undefined;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#marks = Map.groupBy(options.marks, ({ seq }) => seq);
  }

  get records(): number {
    return this.#records;
  }
  get first(): LedgerEnd | undefined {
    return endOf(this.#first);
  }
  /** The line that was read last. */
  get place(): { readonly segment: string; readonly line: number } {
    return { segment: this.#segment, line: this.#line };
  }
  get last(): LedgerEnd | undefined {
    return endOf(this.#last);
  }

  beginSegment(name: string): void {
    // Where a rotation was interrupted, they stay at the end of the segment before.
    this.#blank = 0;
    this.#segment = name;
    this.#line = 0;
  }

  line(buffer: Buffer, start: number, end: number): void {
    this.#line += 1;
    if (start === end) {
      this.#blank += 1;
      return;
    }
    if (this.#cut !== undefined) this.#followed(this.#cut);
    if (this.#blank > 0) this.#blankLines();
    const last = this.#last;
    const after = last === undefined ? -1 : behindLink(buffer, start, last);
    if (last === undefined || after < 0) this.#outOfLine(buffer, start, end);
    else this.#take({ seq: last.seq + 1, buffer, start, after, end });
  }

  longLine(): void {
    this.#line += 1;
    if (this.#cut !== undefined) this.#followed(this.#cut);
    this.#junk('the line is longer than any record');
  }

  rest(buffer: Buffer, start: number, end: number): void {
    this.#line += 1;
    if (this.#cut !== undefined) this.#followed(this.#cut);
    const what = 'the line has no end: the file was cut there';
    if (isWithoutEnd(buffer, start, end)) this.#cutOff(what);
    else this.#junk(what);
  }

  /** After the last line. */
  finish(): void {
    const [first, last] = [this.#first, this.#last];
    for (const mark of this.#options.marks) {
      if (this.#met.has(mark)) continue;
      if (first !== undefined && mark.seq < first.seq) this.#tooOld(mark, first);
      else this.#endMissing(mark, last);
    }
  }

  /** What an operator may want to know, and is not wrong. */
  notes(): readonly string[] {
    if (this.#cut === undefined) return [];
    const { line, segment } = this.#cut;
    return [
      `line ${line} of ${segment}, the last one, is not whole: a record is being written, or was when a process was killed; the next pass records how much of it there was`,
    ];
  }

  #outOfLine(buffer: Buffer, start: number, end: number): void {
    const beginning = buffer.toString('latin1', start, Math.min(end, start + START_MAX_BYTES));
    const [text = '', digits = '', prev = ''] = START.exec(beginning) ?? [];
    if (text === '') {
      if (isCutOff(buffer, start, end)) this.#cutOff('the line is not whole');
      else this.#junk('the line is not a record');
      return;
    }
    const seq = Number(digits);
    if (this.#last === undefined) this.#begin({ seq, prev });
    else this.#connect({ seq, prev }, this.#last);
    this.#take({ seq, buffer, start, after: start + text.length, end });
  }

  #take(record: ReadRecord): void {
    const { seq, buffer, start, end } = record;
    const isReadable = buffer[end - 1] === CLOSING && this.#options.visit(record);
    if (!isReadable && isCutOff(buffer, start, end)) {
      this.#cutOff(`record ${seq} is not whole`);
      return;
    }
    if (!isReadable) this.#problem('NotARecord', `record ${seq} is not one that this version can read${advice.version}`);
    this.#records += 1;
    this.#afterJunk = false;
    const link = { seq, hash: hash('sha256', buffer.subarray(start, end), 'hex'), segment: this.#segment, line: this.#line };
    this.#first ??= link;
    this.#last = link;
    if (this.#furthest === undefined || seq > this.#furthest.seq) this.#furthest = link;
    for (const mark of this.#marks.get(seq) ?? NO_MARKS) this.#compare(mark, link);
  }

  #begin({ seq, prev }: Beginning): void {
    const { beginning } = this.#options;
    if (seq === beginning.seq && prev === beginning.prev) return;
    this.#problem(
      'BeginningMissing',
      `the ledger begins with record ${seq}, and should begin with record ${beginning.seq}${advice.missing}`,
    );
  }

  #connect({ seq, prev }: Beginning, last: Link): void {
    const furthest = this.#furthest ?? last;
    if (seq === furthest.seq + 1 && prev === furthest.hash) return;
    if (this.#afterJunk && seq === last.seq + 2) return;
    if (seq === last.seq + 1) {
      const where = { segment: last.segment, line: last.line };
      const message = `record ${last.seq} is not the one that record ${seq} names: one of the two was changed${advice.changed}`;
      this.#options.problems.add({ kind: 'RecordChanged', ...where, message });
    } else if (seq > furthest.seq) {
      const [from, to] = [furthest.seq + 1, seq - 1];
      const what = from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`;
      this.#problem('RecordsMissing', `${what} before record ${seq}${advice.missing}`);
    } else this.#problem('OutOfOrder', `record ${seq} follows record ${last.seq}${advice.changed}`);
  }

  #compare(mark: NotedEnd, { seq, hash: found, segment, line }: Link): void {
    this.#met.add(mark);
    if (found.startsWith(mark.hash)) return;
    const message = `record ${seq} has the hash ${found}, and ${mark.by} says ${mark.hash}${advice.rewritten}`;
    this.#options.problems.add({ kind: 'MarkDiffers', segment, line, message });
  }

  #tooOld(mark: NotedEnd, first: Link): void {
    const message = `${mark.by} names record ${mark.seq}, and the ledger begins with record ${first.seq}: take a younger mark`;
    this.#options.problems.add({ kind: 'BeginningMissing', segment: first.segment, message });
  }

  #endMissing(mark: NotedEnd, last: Link | undefined): void {
    const ends = last === undefined ? 'the ledger has no record' : `the ledger ends with record ${last.seq}`;
    const message = `${ends}, and ${mark.by} names record ${mark.seq}: the last records are missing${advice.missing}`;
    this.#options.problems.add({ kind: 'EndMissing', segment: last?.segment, line: last?.line, message });
  }

  #blankLines(): void {
    const lines = this.#blank === 1 ? '1 blank line stands' : `${this.#blank} blank lines stand`;
    this.#problem('BlankLines', `${lines} before a record${advice.missing}`);
    this.#blank = 0;
  }

  #cutOff(what: string): void {
    this.#blank = 0;
    this.#afterJunk = true;
    this.#cut = { segment: this.#segment, line: this.#line, what };
  }

  /** So it is not the end of the ledger. */
  #followed({ what, ...place }: Cut): void {
    this.#cut = undefined;
    this.#options.problems.add({ kind: 'NotARecord', ...place, message: `${what}${advice.changed}` });
  }

  #junk(what: string): void {
    this.#blank = 0;
    this.#afterJunk = true;
    this.#problem('NotARecord', `${what}${advice.changed}`);
  }

  #problem(kind: 'BlankLines' | 'NotARecord' | 'BeginningMissing' | 'RecordsMissing' | 'OutOfOrder', message: string): void {
    this.#options.problems.add({ kind, segment: this.#segment, line: this.#line, message });
  }
}

function endOf(link: Link | undefined): LedgerEnd | undefined {
  return link === undefined ? undefined : { seq: link.seq, hash: link.hash };
}
