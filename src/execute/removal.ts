import type { BaseFileStat, Objection } from '../model/ports.ts';
import type { Intent } from '../model/ledger/records.ts';
import type { Result } from './recheck.ts';

/** What sources and overlays say now of one file; a `Result` where they do not say it. */
export type AnswerFor = (name: string) => readonly Objection[] | Result;

/** A file that is to go: what is asked and done, in this order. Problem with the file is a result, or an errno error. */
export interface Removal {
  /** Of the base file: its Nova lock. */
  readonly lockName: string;
  readonly removeLockFile: boolean;
  /** What the evidence is asked for. */
  readonly askedNames: readonly string[];
  /** Why it stays, before its lock is taken. */
  readonly refused: () => Result | undefined;
  /** Why it stays, under its lock: what is not worth a reading of the evidence. */
  readonly firstLook: () => Result | undefined;
  /** With the evidence: what is recorded before it goes, or why it stays. */
  readonly intent: (answerFor: AnswerFor) => Intent | Result;
  /** Under its lock: what would go, as it is now. Undefined when it is gone. */
  readonly seen: () => BaseFileStat | undefined;
  /** Under its lock, with the evidence: the last look, and the removal. */
  readonly settle: (answerFor: AnswerFor) => Result;
  readonly settled: (result: Result) => void;
}
