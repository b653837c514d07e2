import type { BaseFile } from '../model/scan.ts';
import type { RemovalsLimited } from '../model/plan.ts';
import { SPACE_REASONS, type SpaceReason, type VerdictReason } from '../model/reasons.ts';
import type { Rows } from '../model/rows.ts';
import { forEachRow, type Sliced } from '../lib/slices.ts';
import type { Facts } from './facts.ts';
import { removalLimit } from './removal-limit.ts';
import { RULES } from './rules.ts';

/** The reasons that rules give, and those that need all files: what a verdict's number stands for. */
export const DECIDED_REASONS: readonly VerdictReason[] = [...RULES.map(({ reason }) => reason), 'RemovalLimitReached', ...SPACE_REASONS];

export const UNUSED: number = DECIDED_REASONS.indexOf('Unused');
export const YOUNG: number = DECIDED_REASONS.indexOf('YoungerThanMinimumAge');
export const LIMIT_REACHED: number = DECIDED_REASONS.indexOf('RemovalLimitReached');
const GATE_CLOSED = DECIDED_REASONS.indexOf('GateClosed');

/** Of a file that goes before its time. */
export function verdictFor(reason: SpaceReason): number {
  return DECIDED_REASONS.indexOf(reason);
}

/** One byte per file, an index into `DECIDED_REASONS`: a million verdicts are a megabyte. */
export function* decideAll(facts: Facts, files: Rows<BaseFile>): Sliced<Uint8Array> {
  const verdicts = new Uint8Array(files.length);
  yield* decideEach(facts, files, (verdict, index) => {
    verdicts[index] = verdict;
    return true;
  });
  yield* limitRemovals(verdicts, files, facts);
  return verdicts;
}

/** As `decideAll` behind a closed gate, but undefined where nothing but the gate holds some file: looks no further than the first of them. */
export function* decideUnlessHeld(facts: Facts, files: Rows<BaseFile>): Sliced<Uint8Array | undefined> {
  const verdicts = new Uint8Array(files.length);
  let held = false;
  yield* decideEach(facts, files, (verdict, index) => {
    verdicts[index] = verdict;
    held = verdict === GATE_CLOSED;
    return !held;
  });
  return held ? undefined : verdicts;
}

/** Hands each verdict to `take`, until it returns false. */
function decideEach(facts: Facts, files: Rows<BaseFile>, take: (verdict: number, index: number) => boolean): Sliced<undefined> {
  return forEachRow(files, (file, index) =>
    take(
      RULES.findIndex((rule) => rule.applies(facts, file)),
      index,
    ),
  );
}

/** Leaves all but the oldest removals for later passes where there are more than one pass may do. */
function* limitRemovals(verdicts: Uint8Array, files: Rows<BaseFile>, facts: Facts): Sliced<undefined> {
  // Without a limit no number of files is one: nothing has to be counted.
  if (removalLimit(facts, 0) === Number.POSITIVE_INFINITY) return undefined;
  const candidates: { index: number; modifiedAtMs: number }[] = [];
  let baseFiles = 0;
  yield* forEachRow(files, ({ kind, modifiedAtMs }, index) => {
    if (kind !== 'foreign') baseFiles++;
    if (verdicts[index] === UNUSED) candidates.push({ index, modifiedAtMs });
  });
  const limit = removalLimit(facts, baseFiles);
  if (candidates.length <= limit) return undefined;
  candidates.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  for (const { index: later } of candidates.slice(limit)) verdicts[later] = LIMIT_REACHED;
  return undefined;
}

/** What the limit of a pass leaves for later, where the configuration sets no limit; undefined where it leaves nothing. */
export function limitedBy({ policy }: Facts, verdicts: Uint8Array): RemovalsLimited | undefined {
  if (policy.maxRemovalsPerPass !== undefined) return undefined;
  let [removals, waitingFiles] = [0, 0];
  for (const verdict of verdicts) {
    if (verdict === UNUSED) removals++;
    if (verdict === LIMIT_REACHED) waitingFiles++;
  }
  return waitingFiles === 0 ? undefined : { removals, waitingFiles };
}
