import type { LedgerEnd } from './records.ts';

/** What an audit finds, one meaning each. */
export const LEDGER_PROBLEMS = {
  RecordChanged: 'A record is not the one that the next record names by its hash.',
  RecordsMissing: 'Records between two others are missing.',
  OutOfOrder: 'A record stands where another belongs: records were moved, doubled or inserted.',
  NotARecord: 'A line is not a record of the ledger.',
  BlankLines: 'Blank lines stand before a record: records were blanked out.',
  BeginningMissing: 'The first record is not the one that the ledger began with, or that rotation left as the first.',
  EndMissing: 'The last records are missing.',
  MarkDiffers: 'A record has another hash than was noted of it.',
  HeadUnreadable: 'head.json, which says where the ledger begins and ends, is missing or broken.',
  SegmentMissing: 'A segment that head.json names is not there.',
  FileUnreadable: 'A file of the ledger cannot be read, or is not a regular file.',
  NotOurs: 'Others than root and this user may have written the ledger.',
  OutcomeUnexplained: 'An outcome belongs to no intent, or an intent has two.',
  IntentUnanswered: 'A pass has ended, and what became of a file that it meant to remove is not recorded.',
  MoreRemovedThanRecorded: 'A pass counted more removals than the ledger has.',
} as const;
export type LedgerProblemKind = keyof typeof LEDGER_PROBLEMS;

export interface LedgerProblem {
  readonly kind: LedgerProblemKind;
  /** A file's name, where the problem is in one. */
  readonly segment?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** What was noted of a record, and where: `head.json`, `--head`. The hash may be the beginning of one. */
export interface NotedEnd extends LedgerEnd {
  readonly by: string;
}

/** What `basekeeper audit` came to. */
export interface LedgerAudit {
  readonly apiVersion: 'basekeeper.io/v1';
  readonly kind: 'LedgerAudit';
  readonly directory: string;
  readonly segments: number;
  readonly records: number;
  readonly first?: LedgerEnd | undefined;
  readonly last?: LedgerEnd | undefined;
  readonly passes: number;
  readonly intents: number;
  /** Of the intents, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first of them; empty: the ledger is whole. */
  readonly problems: readonly LedgerProblem[];
  /** How many more there are. */
  readonly moreProblems: number;
  /** What an operator may want to know, and is not wrong. */
  readonly notes: readonly string[];
}
