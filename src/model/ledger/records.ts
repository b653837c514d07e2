import type { BaseFileKind } from '../scan.ts';
import type { Preset } from '../policy.ts';
import type { Outcome, TrashReason, VerdictReason } from '../reasons.ts';
import type { SourceState } from '../workload.ts';

/** Below the lock directory, unless the configuration names another place. In it, each host has a directory of its own. */
export const LEDGER_DIRECTORY = 'basekeeper-ledger';
/** What the first record of all says of the one before it. */
export const NO_RECORD_BEFORE = '0'.repeat(64);
/** In the directory of a host, besides its segments. */
export const LEDGER_HEAD = 'head.json';

const SEGMENT_NAME = /^ledger-([0-9]{6,15})\.jsonl$/;

export function segmentName(number: number): string {
  return `ledger-${String(number).padStart(6, '0')}.jsonl`;
}

/** Undefined for a name that `segmentName` did not make. */
export function segmentNumber(name: string): number | undefined {
  const number = Number(SEGMENT_NAME.exec(name)?.[1] ?? Number.NaN);
  return number > 0 && segmentName(number) === name ? number : undefined;
}

/** Who asked for a pass. */
export type Asked =
  | { readonly by: 'schedule' }
  /** The node's mode was changed. */
  | { readonly by: 'mode' }
  /** `value`: of the annotation; of a long one, its digest. */
  | { readonly by: 'run-now'; readonly value: string }
  /** `basekeeper pass`, and the user who ran it. */
  | { readonly by: 'command'; readonly uid: number };

/** A pass that wants to remove something. Before its first evidence. */
export interface PassRecord {
  readonly type: 'pass';
  readonly asked: Asked;
  readonly version: string;
  readonly node: string;
  readonly preset: Preset;
  readonly mode: 'enforce';
  readonly basePath: string;
  /** A random name of the process. */
  readonly process: string;
  readonly pid: number;
}

export interface SourceEvidence {
  readonly name: string;
  readonly state: SourceState;
  /** RFC 3339: when its last complete list began, as far as there was one. */
  readonly listedAt?: string | undefined;
  /** RFC 3339: when it last heard of its server, or read its files. */
  readonly contactAt?: string | undefined;
  /** Of the API server, where it is one watch. */
  readonly resourceVersion?: string | undefined;
  readonly workloads: number;
  readonly gaps: number;
}

/** What one reading of sources and overlays was; it answers for one batch of files. */
export interface Evidence {
  readonly sources: readonly SourceEvidence[];
  /** Images of instances that were seen, by state. */
  readonly overlays: Readonly<Record<string, number>>;
  /** What was not seen or not understood. */
  readonly unseen: number;
}

export interface EvidenceRecord extends Evidence {
  readonly type: 'evidence';
  /** Number of its pass record. */
  readonly pass: number;
}

/** `RestoreAsked`: somebody ran `basekeeper restore`. */
export type RecordedReason = VerdictReason | TrashReason | 'RestoreAsked';

/** `restore`: it is a base file again, and loses its name in the trash. */
export type IntentAction = 'unlink' | 'trash' | 'empty' | 'restore';

/** One file that is to go. */
export interface Intent {
  readonly action: IntentAction;
  readonly kind: BaseFileKind;
  /** Of the base file; names that are not UTF-8 are never removed. */
  readonly name: string;
  /** Its name in the trash, where it lies there. */
  readonly entry?: string | undefined;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly device: string;
  readonly inode: string;
  readonly modifiedAtNs: string;
  /** The image's digest in the name of the file: SHA-1 of the image id. */
  readonly imageSha1?: string | undefined;
  readonly verdict: 'remove' | 'empty' | 'restore';
  readonly reason: RecordedReason;
}

/** It is on disk before the file goes. */
export interface IntentRecord extends Intent {
  readonly type: 'intent';
  readonly pass: number;
  readonly evidence: number;
  /** RFC 3339. Where the file system had no room for the record: when the file went, before it was recorded. */
  readonly intendedAt?: string | undefined;
}

/** First and last number of intents. */
export type IntentRange = readonly [first: number, last: number];

/** `PutBack`: the time of the batch was over. The file stays in the queue, and gets another intent before it goes. */
export type RecordedOutcome = Outcome | 'PutBack';

export type LateOutcome = Pick<OutcomeRecord, 'outcome' | 'message'>;

/** What became of intents. */
export interface OutcomeRecord {
  readonly type: 'outcome';
  readonly pass: number;
  readonly outcome: RecordedOutcome;
  readonly intents: readonly IntentRange[];
  readonly message?: string | undefined;
}

/** The pass has come to its end. */
export interface EndRecord {
  readonly type: 'end';
  readonly pass: number;
  /** How many files came to which outcome, as the executor counted them, and not as they were recorded. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
}

/** What a process found that another one left. */
export interface RecoveredRecord {
  readonly type: 'recovered';
  /** A record that was not whole, at the end: none of its files can have gone. */
  readonly torn?: { readonly bytes: number; readonly sha256: string } | undefined;
  /** A pass that did not come to its end. */
  readonly pass?: number | undefined;
  /** Its intents without an outcome whose file is gone, and those whose file is still there. */
  readonly gone?: readonly IntentRange[] | undefined;
  readonly there?: readonly IntentRange[] | undefined;
  /** Those of which this could not be found out. */
  readonly unknown?: readonly IntentRange[] | undefined;
}

export type LedgerEntry = PassRecord | EvidenceRecord | IntentRecord | OutcomeRecord | EndRecord | RecoveredRecord;

/** One line of a ledger. */
export type LedgerRecord = LedgerEntry & {
  /** From 1, without a gap. */
  readonly seq: number;
  /** SHA-256 of the whole line before, without its line end. */
  readonly prev: string;
  /** RFC 3339. */
  readonly at: string;
};

/** The end of a chain: by these two, a ledger that was written again is found. */
export interface LedgerEnd {
  readonly seq: number;
  /** SHA-256 of the line of that number. */
  readonly hash: string;
}

/** `head.json`, which is replaced after each pass and where a segment ends. It may be behind after a crash. */
export interface LedgerHead {
  readonly first: { readonly seq: number; readonly prev: string };
  readonly last: LedgerEnd;
  /** Their names, oldest first. */
  readonly segments: readonly string[];
}
