import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoError, errnoOf, hasErrno, messageOf } from '../lib/errors.ts';
import { countOf } from '../lib/text.ts';
import { FULL, type LedgerState, type RecordedPass, type RemovalLedger, type RemovalRecord } from '../model/ledger/recorder.ts';
import type { Evidence, Intent, LedgerEntry, PassRecord, RecordedOutcome } from '../model/ledger/records.ts';
import { ledgerPath } from './directory.ts';
import { Outcomes } from './outcomes.ts';
import { isGone, Owed } from './owed.ts';
import { recover } from './recovery.ts';
import { Room } from './room.ts';
import { END_BYTES } from './segment.ts';
import { LedgerWriter, type WriterOptions } from './writer.ts';

export interface LedgerOptions extends Omit<WriterOptions, 'known'> {
  readonly version: string;
  /** Called before a removal that makes room on a file system without room for its record. */
  readonly onUnrecorded: (intent: Intent, why: string) => void;
}

/** Of this process. */
const PROCESS = randomUUID();
const NOT_BEFORE = (why: string): string =>
  `a removal is recorded there before it happens, and that failed: ${why}; correct it, or set ledger.enabled: false`;
const NO_EVIDENCE: Evidence = { sources: [], overlays: {}, unseen: 0 };

/** Records removals in files, before they happen. */
export function createLedger(options: LedgerOptions): RemovalLedger {
  // A process that was killed is looked for once; then only where the last record says that a pass has not ended.
  let isRecovered = false;
  const known = {};
  const open = async (basePath: string): Promise<LedgerWriter> => {
    const writer = await LedgerWriter.open({ ...options, known });
    try {
      if (!isRecovered || writer.lastType !== 'end') await recover(writer, basePath);
      isRecovered = true;
      if (writer.isHeadBehind) await writer.publishHead();
      return writer;
    } catch (error) {
      writer.close();
      throw error;
    }
  };
  return {
    async begin(pass) {
      const record = new Recording(options, pass, open);
      // As long as there is room: a file system may be full when the first file is to go. Nothing is made beside a lock directory that is not there.
      if (existsSync(dirname(options.directory))) await record.prepare();
      return record;
    },
  };
}

class Recording implements RemovalRecord {
  readonly #options: LedgerOptions;
  readonly #pass: RecordedPass;
  readonly #open: (basePath: string) => Promise<LedgerWriter>;
  readonly #outcomes = new Outcomes();
  readonly #owed = new Owed();
  readonly #room: Room;
  #writer: LedgerWriter | undefined;
  #problem: Error | undefined;
  /** Numbers of the records. */
  #passNumber: number | undefined;
  #evidenceNumber: number | undefined;
  /** It is not recorded yet. */
  #evidence: Evidence | undefined;

  constructor(options: LedgerOptions, pass: RecordedPass, open: (basePath: string) => Promise<LedgerWriter>) {
    this.#options = options;
    this.#pass = pass;
    this.#open = open;
    this.#room = new Room(pass.basePath, ledgerPath(options));
  }

  async prepare(): Promise<void> {
    try {
      this.#writer ??= await this.#open(this.#pass.basePath);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = this.#explained(error);
    }
  }

  evidence(evidence: Evidence): void {
    this.#evidence = evidence;
  }

  async intend(intents: readonly Intent[]): Promise<readonly number[]> {
    if (intents.length === 0) return [];
    await this.prepare();
    try {
      if (this.#writer !== undefined) return await this.#intend(this.#writer, intents);
    } catch (error) {
      this.#problem = this.#explained(error);
    }
    throw this.#problem ?? new Error('the ledger is not open');
  }

  /** One at a time: what it frees may be room for the record. */
  owe(intent: Intent, why: unknown): number {
    if (!hasErrno(why, ...FULL)) throw why;
    const refusal = this.#room.refusal();
    if (refusal !== undefined) throw Object.assign(new Error(`${messageOf(why)}; ${refusal}`), { code: errnoOf(why) });
    this.#options.onUnrecorded(intent, messageOf(why));
    return this.#owed.add(this.#evidence ?? NO_EVIDENCE, intent, this.#options.clock.now().wallMs);
  }

  /** All that belongs before them goes with them. */
  async #intend(writer: LedgerWriter, intents: readonly Intent[]): Promise<readonly number[]> {
    let before = 0;
    let [pass, evidence] = [0, 0];
    const ends = await writer.append(
      (first) => {
        const { entries, add, ...begun } = this.#begun(writer, first);
        pass = begun.pass;
        const isNew = this.#evidence !== undefined || this.#evidenceNumber === undefined;
        evidence = isNew ? add({ type: 'evidence', pass, ...(this.#evidence ?? NO_EVIDENCE) }) : (this.#evidenceNumber ?? 0);
        before = entries.length;
        for (const intent of intents) add({ type: 'intent', pass, evidence, ...intent });
        return entries;
      },
      (count) => count - intents.length + 1,
      END_BYTES,
    );
    [this.#passNumber, this.#evidenceNumber, this.#evidence] = [pass, evidence, undefined];
    this.#outcomes.clear();
    this.#owed.clear();
    return ends.slice(before).map(({ seq }) => seq);
  }

  /** What is recorded of the pass so far and not on disk yet. `add` returns the number that an entry gets. */
  #begun(writer: LedgerWriter, first: number, owed = this.#owed) {
    const entries: LedgerEntry[] = [];
    const add = (entry: LedgerEntry): number => first + entries.push(entry) - 1;
    const pass = this.#passNumber ?? this.#beginPass(writer, add);
    owed.record(pass, add);
    for (const entry of this.#outcomes.entries(pass)) add(entry);
    return { entries, add, pass };
  }

  /** Others see by its lock that the pass runs. */
  #beginPass(writer: LedgerWriter, add: (entry: LedgerEntry) => number): number {
    const { asked, node, preset, basePath } = this.#pass;
    const { version } = this.#options;
    const entry: PassRecord = { type: 'pass', asked, version, node, preset, mode: 'enforce', basePath, process: PROCESS, pid: process.pid };
    const number = add(entry);
    writer.locks.tryTake(number);
    return number;
  }

  outcome(intent: number, outcome: RecordedOutcome, message?: string): void {
    if (intent >= 0) return this.#outcomes.add(intent, outcome, message);
    this.#owed.outcome(intent, outcome, message);
    if (isGone(outcome)) this.#room.gone();
  }

  async end(outcomes: Parameters<RemovalRecord['end']>[0]): Promise<LedgerState> {
    if (this.#owed.size > 0) await this.prepare();
    try {
      if (this.#writer !== undefined && (this.#passNumber !== undefined || this.#owed.size > 0)) await this.#endOr(this.#writer, outcomes);
    } catch (error) {
      this.#problem = this.#explained(
        error,
        (why) => `what became of files could not be recorded: ${why}; correct it, and the next pass looks`,
      );
    }
    return { last: this.#writer?.last, bytes: this.#bytes(), ...this.#whatIsWrong() };
  }

  /** Without room for what is owed, its counts alone: an audit finds that there was more. */
  async #endOr(writer: LedgerWriter, outcomes: Parameters<RemovalRecord['end']>[0]): Promise<void> {
    try {
      await this.#end(writer, outcomes, this.#owed);
    } catch (error) {
      if (this.#owed.size > 0 && hasErrno(error, ...FULL)) await this.#end(writer, outcomes, new Owed());
      throw error;
    }
  }

  async #end(writer: LedgerWriter, outcomes: Parameters<RemovalRecord['end']>[0], owed: Owed): Promise<void> {
    let ended = 0;
    await writer.append((first) => {
      const { entries, add, pass } = this.#begun(writer, first, owed);
      ended = pass;
      add({ type: 'end', pass, outcomes });
      return entries;
    });
    owed.clear();
    try {
      await writer.publishHead(ended);
    } catch (error) {
      this.#problem = this.#explained(error, (why) => `all is recorded, and head.json could not be renewed: ${why}; correct it`);
    }
  }

  #whatIsWrong(): Pick<LedgerState, 'problem' | 'unrecordedFiles'> {
    if (this.#problem === undefined) return {};
    const { gone } = this.#owed;
    const problem = messageOf(this.#problem);
    if (gone === 0) return { problem };
    return { problem: `${problem}; ${countOf(gone, 'file')} went to make room, and the log alone has them`, unrecordedFiles: gone };
  }

  #bytes(): number {
    try {
      return this.#writer?.bytes() ?? 0;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return 0;
    }
  }

  close(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  /** @param what says what failed, and what to do. */
  #explained(error: unknown, what: (why: string) => string = NOT_BEFORE): Error {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    return errnoError(code, `${ledgerPath(this.#options)}: ${what(messageOf(error))}`);
  }
}
