import { readdirSync } from 'node:fs';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { openOwnLocks, type OwnLocks } from '../disk/locks/own-lock.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { timestamp } from '../lib/timestamp.ts';
import { FULL } from '../model/ledger/recorder.ts';
import type { Clock } from '../model/ports.ts';
import {
  NO_RECORD_BEFORE,
  segmentName,
  segmentNumber,
  type LedgerEnd,
  type LedgerEntry,
  type RecoveredRecord,
} from '../model/ledger/records.ts';
import { ledgerPath, openLedgerDirectory, type LedgerPlace } from './directory.ts';
import { readHead, writeHead, type Kept } from './head.ts';
import { chain, hashLine } from './line.ts';
import { newSegment } from './new-segment.ts';
import { countBeforeKept, countTooMany, sizeOf, type Limits } from './retention.ts';
import { BLOCK_BYTES, RESERVE_BYTES, Segment } from './segment.ts';
import { readTail, type Tail } from './tail.ts';

/** Of one file. A batch of records may go beyond it. */
const SEGMENT_BYTES = 1_048_576;
/** A file is also closed when its first record is this part of the greatest age: files are dropped as a whole. */
const AGE_PARTS = 12;
const DAY_MS = 86_400_000;
/** The byte of the lock file for appending; those above it are passes that run. */
const APPENDING = 0;
/** Far longer than any append should take: a disk that hangs. */
const WAIT_MS = 10_000;
const LOCK_NAME = 'lock';
const NOTHING: LedgerEnd = { seq: 0, hash: NO_RECORD_BEFORE };

export interface WriterOptions extends LedgerPlace, Limits {
  readonly clock: Clock;
  /** What this process has recorded last; it is kept up. */
  readonly known: { last?: LedgerEnd | undefined };
}

/** An open ledger. One process at a time appends; others may do so in between. */
export class LedgerWriter {
  readonly #options: WriterOptions;
  readonly directory: OpenDirectory;
  readonly locks: OwnLocks;
  #segment: Segment | undefined;
  #tail: Tail | undefined;
  #torn: RecoveredRecord['torn'];
  /** A disk that failed to take records may have lost them, whatever it says later. */
  #broken: Error | undefined;

  private constructor(options: WriterOptions) {
    this.#options = options;
    this.directory = openLedgerDirectory(options);
    try {
      this.locks = this.directory.at(LOCK_NAME, openOwnLocks);
    } catch (error) {
      this.directory.entries.close();
      throw error;
    }
  }

  /** Makes the ledger where there is none. Throws an errno error. */
  static async open(options: WriterOptions): Promise<LedgerWriter> {
    const writer = new LedgerWriter(options);
    try {
      await writer.#alone(() => writer.#load());
      return writer;
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  get path(): string {
    return ledgerPath(this.#options);
  }

  get last(): LedgerEnd | undefined {
    return this.#tail === undefined || this.#tail.last.seq === 0 ? undefined : this.#tail.last;
  }

  get lastType(): string | undefined {
    return this.#tail?.lastType;
  }

  /** A pass was killed before it said where the ledger ends. What is damaged stays as it is for an audit. */
  get isHeadBehind(): boolean {
    return this.lastType === 'end' && (readHead(this.directory)?.last.seq ?? 0) < (this.last?.seq ?? 0);
  }

  /** Whether a record was found that is not whole; the next append says so. */
  get isTorn(): boolean {
    return this.#torn !== undefined;
  }

  /** The process that carries out a pass holds the lock of its number, until it ends. Not to be asked of a pass of this writer. */
  isOver(pass: number): boolean {
    const isFree = this.locks.tryTake(pass);
    if (isFree) this.locks.release(pass);
    return isFree;
  }

  /** All segments, oldest first. */
  segments(): number[] {
    const names = this.directory.self((path) => readdirSync(path));
    return names
      .map(segmentNumber)
      .filter((number) => number !== undefined)
      .toSorted((a, b) => a - b);
  }

  bytes(): number {
    return this.segments().reduce((sum, number) => sum + sizeOf(this.directory, segmentName(number)), 0);
  }

  /** The bytes of a segment, or of none. */
  read(number: number): Buffer {
    if (number === this.#segment?.number) return this.#segment.read();
    const segment = Segment.open(this.directory, segmentName(number), number);
    try {
      return segment.read();
    } finally {
      segment.close();
    }
  }

  /**
   * Puts records on disk, and returns their numbers and hashes in order. Where there is no room for all of them, the first ones. Throws an errno error.
   *
   * @param entriesFrom makes them, by the number that the first of them gets.
   * @param atLeast how many of so many have to be written; all, unless it says otherwise.
   * @param kept how many bytes of the reserve stay.
   */
  async append(
    entriesFrom: (first: number) => readonly LedgerEntry[],
    atLeast: (count: number) => number = (count) => count,
    kept = 0,
  ): Promise<readonly LedgerEnd[]> {
    if (this.#broken !== undefined) throw this.#broken;
    return await this.#alone(async () => {
      if (this.#segment?.isOvertaken() !== false) await this.#load();
      if (this.#isFull()) await this.#rotate();
      const { segment, tail } = this.#loaded();
      const at = timestamp(this.#options.clock.now().wallMs);
      const found: LedgerEntry[] = this.#torn === undefined ? [] : [{ type: 'recovered', torn: this.#torn }];
      const asked = entriesFrom(tail.last.seq + 1 + found.length);
      const entries = [...found, ...asked];
      const { lines, ends } = chain(tail.last, at, entries);
      const count = await this.#write(segment, lines, { atLeast: found.length + atLeast(asked.length), kept });
      const last = ends[count - 1] ?? tail.last;
      this.#tail = { ...tail, last, lastType: entries[count - 1]?.type, firstAt: tail.firstAt ?? at, end: segment.end };
      this.#torn = undefined;
      this.#options.known.last = last;
      return ends.slice(found.length, count);
    });
  }

  async #write(
    segment: Segment,
    lines: readonly string[],
    { atLeast, kept }: { readonly atLeast: number; readonly kept: number },
  ): Promise<number> {
    try {
      return await segment.append(lines, atLeast, kept);
    } catch (error) {
      if (error instanceof Error && !hasErrno(error, ...FULL)) this.#broken = error;
      throw error;
    }
  }

  /**
   * Drops what is too old or too much, and says outside of the segments where they begin and end. It says so first: a segment that is not
   * there and was not dropped here is one that is missing. A full file system takes nothing from that.
   *
   * @param ended the pass that has just ended: until another ends, it stays whole, as those do that run.
   */
  async publishHead(ended?: number): Promise<void> {
    await this.#alone(async () => {
      if (this.#segment?.isOvertaken() !== false) await this.#load();
      const numbers = this.segments();
      const tooMany = countTooMany(this.directory, numbers, { ...this.#options, nowMs: this.#options.clock.now().wallMs });
      const isKept = (pass: number): boolean => pass === ended || !this.isOver(pass);
      const count = countBeforeKept(numbers.slice(0, tooMany), (number) => this.read(number), isKept);
      if (!(await this.#writeHead({ numbers: numbers.slice(count), droppedUpTo: numbers[count - 1] ?? 0 }))) return;
      for (const number of numbers.slice(0, count)) this.directory.entries.unlink(segmentName(number));
    });
  }

  /** Returns whether there was room for it. */
  async #writeHead(kept: Kept): Promise<boolean> {
    try {
      await writeHead(this.directory, kept, this.last ?? NOTHING);
      return true;
    } catch (error) {
      if (!hasErrno(error, ...FULL)) throw error;
      return false;
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (!(await this.locks.take(APPENDING, WAIT_MS)))
      throw errnoError('EBUSY', `another process has appended to it for ${WAIT_MS / 1000} s: does its disk hang?`);
    try {
      return await work();
    } finally {
      this.locks.release(APPENDING);
    }
  }

  #loaded(): { segment: Segment; tail: Tail } {
    if (this.#segment === undefined || this.#tail === undefined) throw new Error('the ledger is not loaded');
    return { segment: this.#segment, tail: this.#tail };
  }

  async #load(): Promise<void> {
    this.#segment?.close();
    this.#segment = undefined;
    const number = this.segments().at(-1);
    const segment =
      number === undefined ? await newSegment(this.directory, 1, BLOCK_BYTES) : Segment.open(this.directory, segmentName(number), number);
    this.#segment = segment;
    const bytes = segment.read();
    const settled = readHead(this.directory)?.last;
    const tail = readTail(bytes, this.#endBefore(segment.number, settled?.seq), settled?.seq);
    segment.end = tail.end;
    this.#tail = { ...tail, last: withWhatWasThere(tail.last, [settled, this.#tail?.last, this.#options.known.last]) };
    if (number === undefined) await this.#writeHead({ numbers: [segment.number], droppedUpTo: 0 });
    if (tail.tornBytes === 0) return;
    this.#torn = { bytes: tail.tornBytes, sha256: hashLine(bytes.subarray(tail.end, tail.end + tail.tornBytes)) };
    await segment.blank(tail.tornBytes);
  }

  /** The last record of the segments before. */
  #endBefore(number: number, settled: number | undefined): LedgerEnd {
    const before = this.segments().findLast((it) => it < number);
    return before === undefined ? NOTHING : readTail(this.read(before), NOTHING, settled).last;
  }

  #isFull(): boolean {
    const { segment, tail } = this.#loaded();
    if (tail.firstAt === undefined) return false;
    const ageMs = this.#options.clock.now().wallMs - Date.parse(tail.firstAt);
    return segment.end >= SEGMENT_BYTES || ageMs > (this.#options.maxAgeDays * DAY_MS) / AGE_PARTS;
  }

  /** The reserve of the segment before stays until the next has its own. Without room for that, the one before goes on. */
  async #rotate(): Promise<void> {
    const { segment, tail } = this.#loaded();
    let next: Segment;
    try {
      next = await newSegment(this.directory, segment.number + 1, RESERVE_BYTES);
    } catch (error) {
      if (!hasErrno(error, ...FULL)) throw error;
      return;
    }
    await segment.finish();
    segment.close();
    this.#segment = next;
    this.#tail = { ...tail, end: 0, firstAt: undefined };
    await this.#writeHead({ numbers: this.segments(), droppedUpTo: 0 });
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
    this.locks.close();
    this.directory.entries.close();
  }
}

/**
 * Where somebody cut the last records off, or changed the last one, or took the whole ledger away, the next record names what was there: an
 * audit goes on to miss it.
 */
function withWhatWasThere(found: LedgerEnd, known: readonly (LedgerEnd | undefined)[]): LedgerEnd {
  return known.reduce<LedgerEnd>((last, it) => (it !== undefined && it.seq >= last.seq ? it : last), found);
}
