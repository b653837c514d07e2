import type { BaseFile } from '../model/base-file.ts';
import type { VerdictReason } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { eachRow, type Steps } from '../model/steps.ts';
import type { Facts } from './facts.ts';
import { RULES } from './rules.ts';

/** The reasons that rules give, and the two that need all files: what a verdict's number stands for. */
export const DECIDED_REASONS: readonly VerdictReason[] = [...RULES.map(({ reason }) => reason), 'RemovalLimitReached', 'UnderPressure'];

export const UNUSED: number = DECIDED_REASONS.indexOf('Unused');
export const YOUNG: number = DECIDED_REASONS.indexOf('YoungerThanMinimumAge');
export const PRESSED: number = DECIDED_REASONS.indexOf('UnderPressure');
const GATE_CLOSED = DECIDED_REASONS.indexOf('GateClosed');
const LIMIT_REACHED = DECIDED_REASONS.indexOf('RemovalLimitReached');

/** One byte per file, an index into `DECIDED_REASONS`: a million verdicts are a megabyte. */
export function* decideAll(facts: Facts, files: Rows<BaseFile>): Steps<Uint8Array> {
  const verdicts = new Uint8Array(files.length);
  yield* eachRow(files, (file, index) => {
    verdicts[index] = decide(facts, file);
    return undefined;
  });
  yield* limitRemovals(verdicts, files, facts.policy.maxRemovalsPerPass);
  return verdicts;
}

function decide(facts: Facts, file: BaseFile): number {
  return RULES.findIndex((rule) => rule.applies(facts, file));
}

/** Whether nothing but the gate holds some file. Looks no further than the first of them. */
export function* holdsAny(facts: Facts, files: Rows<BaseFile>): Steps<boolean> {
  let found = false;
  yield* eachRow(files, (file) => {
    found = decide(facts, file) === GATE_CLOSED;
    return !found;
  });
  return found;
}

/** Leaves all but the oldest `limit` removals for later passes; 0 is no limit. */
function* limitRemovals(verdicts: Uint8Array, files: Rows<BaseFile>, limit: number): Steps<undefined> {
  if (limit === 0) return undefined;
  const candidates: { index: number; modifiedAtMs: number }[] = [];
  yield* eachRow(files, ({ modifiedAtMs }, index) => {
    if (verdicts[index] === UNUSED) candidates.push({ index, modifiedAtMs });
    return undefined;
  });
  candidates.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  for (const { index: later } of candidates.slice(limit)) verdicts[later] = LIMIT_REACHED;
  return undefined;
}
