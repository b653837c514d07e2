import type { Outcome } from '../reasons.ts';
import type { Preset } from '../policy.ts';
import type { Asked, Evidence, Intent, LedgerEnd, RecordedOutcome } from './records.ts';

export interface RecordedPass {
  readonly asked: Asked;
  readonly node: string;
  readonly preset: Preset;
  readonly basePath: string;
}

/** Errors of a file system without room, for us or for a file of this size. */
export const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'] as const;

/** What a ledger is like after a pass. */
export interface LedgerState {
  /** Absent where nothing is recorded yet. */
  readonly last?: LedgerEnd | undefined;
  /** Of all its segments. */
  readonly bytes: number;
  /** Why nothing could be recorded, and what to do. */
  readonly problem?: string | undefined;
  /** Files that went to make room and of which there is no record. Absent where there are none. */
  readonly unrecordedFiles?: number | undefined;
}

/** Where removals are recorded before they happen. Twin: `memoryLedger`. */
export interface RemovalLedger {
  /** Of a pass that may remove files. The first intent fails with what is wrong with the ledger. */
  begin(pass: RecordedPass): Promise<RemovalRecord>;
}

/** The record of one pass. */
export interface RemovalRecord {
  /** What was read just now; the intents that follow rest on it. */
  evidence(evidence: Evidence): void;
  /**
   * Resolves when intents are on disk, in their order: with their numbers. Where the file system is full these may be fewer than were asked
   * for, at least one. Throws an errno error where none could be put there: then no file may go.
   */
  intend(intents: readonly Intent[]): Promise<readonly number[]>;
  /**
   * Of one file whose removal makes room, after `intend` failed with `why`: its number, if it may go now and be recorded later. Throws an
   * errno error if not: then it stays.
   */
  owe(intent: Intent, why: unknown): number;
  /** What became of an intent; it is written with what comes next. */
  outcome(intent: number, outcome: RecordedOutcome, message?: string): void;
  /** The pass is over. Resolves with what the ledger is like. Never throws for what is wrong with the ledger. */
  end(outcomes: Readonly<Partial<Record<Outcome, number>>>): Promise<LedgerState>;
  /** Releases what is held; after `end`, or without it where the pass failed. */
  close(): void;
}
