import type { EvidenceRecord, IntentRecord, LedgerEnd, PassRecord } from './records.ts';

/** How many of its newest records are shown where nobody says how many. */
export const DEFAULT_RECORDS = 1000;
/** What an agent gives at once. */
export const MOST_RECORDS = 10_000;

/** What is asked of a ledger's history. Everything that is given has to hold. */
export interface HistoryQuery {
  /** Wall clock (ms), included. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Of a base file, or its name in the trash. */
  readonly file?: string | undefined;
  /** SHA-1 of the image's id. */
  readonly imageSha1?: string | undefined;
  /** The newest so many; 0: all. */
  readonly limit: number;
  /** A record whose hash is wanted as well, as the ledger has it now. */
  readonly mark?: number | undefined;
}

/** What is known when all is read. */
export interface HistoryEnd {
  /** Lines that are not records of this version; an audit says which. */
  readonly unreadable: number;
  /** Absent where none was asked for, or the ledger does not have it. */
  readonly mark?: LedgerEnd | undefined;
}

/** The removals that a ledger has, as they are read. Undefined: something else may happen. */
export type HistoryReading = Iterator<HistoryEntry | undefined, HistoryEnd, undefined>;

/** What became of a file that a pass meant to remove or to put back. */
export interface HistoryItem extends Omit<IntentRecord, 'type' | 'modifiedAtNs'> {
  /** Number of its record. */
  readonly seq: number;
  /** RFC 3339: when it was recorded, before the file went. */
  readonly at: string;
  /**
   * Absent where it is not recorded: the pass is at work, or was killed. `Interrupted`: the next process found out what became of it, and
   * `message` says so.
   */
  readonly outcome?: string | undefined;
  readonly message?: string | undefined;
  /** RFC 3339. */
  readonly modifiedAt: string;
  /** Who asked for the pass, for people; absent where its record is not in the ledger any more. */
  readonly askedBy?: string | undefined;
}

/** A pass or an evidence that items name by its number. */
export type HistoryPass = PassRecord & { readonly seq: number; readonly at: string };
export type HistoryEvidence = EvidenceRecord & { readonly seq: number; readonly at: string };

export interface HistoryEntry {
  readonly item: HistoryItem;
  readonly pass: HistoryPass | undefined;
  readonly evidence: HistoryEvidence | undefined;
}
