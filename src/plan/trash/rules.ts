import type { BaseFile, TrashedFile } from '../../model/scan.ts';
import { SPACE_REASONS, type TrashReason } from '../../model/reasons.ts';
import type { Rows } from '../../model/rows.ts';
import { removalLimit } from '../removal-limit.ts';
import { forEachRow, type Sliced } from '../../lib/slices.ts';
import type { TrashTotals, TrashVerdict } from '../../model/plan.ts';
import type { Facts } from '../facts.ts';
import { takeOldest, type Candidate, type Need } from '../space/needs.ts';
import { usagesByOverlay, usagesByWorkload } from '../usages.ts';
import { digestOf } from '../../model/names.ts';

/** What the rules know besides the facts. */
interface TrashFacts extends Facts {
  /** Base files that have the name of one in the trash. */
  readonly present: ReadonlyMap<string, Pick<BaseFile, 'device' | 'inode'>>;
  /** Name → when the newest file of that name was moved to the trash, in ms. */
  readonly newestMs: ReadonlyMap<string, number>;
}

interface TrashRule {
  readonly reason: TrashReason;
  readonly verdict: TrashVerdict;
  readonly applies: (facts: TrashFacts, file: TrashedFile) => boolean;
}

const NEVER = (): boolean => false;

/** The first that applies decides; `RemovalLimitReached`, `UnderPressure` and `OverBudget` need all files and are decided after these. */
const TRASH_RULES: readonly TrashRule[] = [
  // It gets its name back and keeps the one that it has here, so that it can serve disks that name either.
  { reason: 'NeededAgain', verdict: 'restore', applies: isNeededAgain },
  { reason: 'NamedInTrash', verdict: 'keep', applies: isNamedInTrash },
  // A disk that was not seen may name it here, so it keeps both names until the gate is open.
  { reason: 'UnfinishedMove', verdict: 'restore', applies: (facts, file) => facts.gateOpen && isSameAsBaseFile(facts, file) },
  { reason: 'RemovalDisabled', verdict: 'keep', applies: ({ policy }) => !policy.removeUnusedBaseImages },
  { reason: 'WithinGrace', verdict: 'keep', applies: (facts, { trashedAtMs }) => !(graceEndMs(facts, trashedAtMs) <= facts.nowMs) },
  { reason: 'GateClosed', verdict: 'keep', applies: ({ gateOpen }) => !gateOpen },
  { reason: 'RemovalLimitReached', verdict: 'keep', applies: NEVER },
  { reason: 'UnderPressure', verdict: 'empty', applies: NEVER },
  { reason: 'OverBudget', verdict: 'empty', applies: NEVER },
  { reason: 'GraceOver', verdict: 'empty', applies: () => true },
];

const indexOf = (reason: TrashReason): number => TRASH_RULES.findIndex((rule) => rule.reason === reason);
const WITHIN_GRACE = indexOf('WithinGrace');
const GRACE_OVER = indexOf('GraceOver');
const LIMIT_REACHED = indexOf('RemovalLimitReached');
const DUE: ReadonlySet<TrashReason> = new Set(['GateClosed', 'RemovalLimitReached', ...SPACE_REASONS, 'GraceOver']);

/** When the grace of a file ends that was moved to the trash at `trashedAtMs`, in ms. */
export function graceEndMs({ policy }: Pick<Facts, 'policy'>, trashedAtMs: number): number {
  return trashedAtMs + policy.trash.graceSeconds * 1000;
}

export function trashRuleOf(decided: number): Pick<TrashRule, 'reason' | 'verdict'> {
  return TRASH_RULES[decided] ?? { reason: 'GateClosed', verdict: 'keep' };
}

/** One byte per file in the trash, for `trashRuleOf`. */
export function* decideTrash(facts: Facts, files: Rows<BaseFile>, trashed: Rows<TrashedFile>): Sliced<Uint8Array> {
  const verdicts = new Uint8Array(trashed.length);
  if (trashed.length === 0) return verdicts;
  const known = yield* gatherTrashFacts(facts, files, trashed);
  const over: { index: number; trashedAtMs: number }[] = [];
  yield* forEachRow(trashed, (file, index) => {
    const decided = TRASH_RULES.findIndex((rule) => rule.applies(known, file));
    verdicts[index] = decided;
    if (decided === GRACE_OVER) over.push({ index, trashedAtMs: file.trashedAtMs });
  });
  const limit = removalLimit(facts, trashed.length);
  over.sort((a, b) => a.trashedAtMs - b.trashedAtMs);
  for (const { index } of over.slice(limit)) verdicts[index] = LIMIT_REACHED;
  return verdicts;
}

export interface ForSpace {
  readonly needs: readonly Need[];
  readonly frees: (file: TrashedFile) => number;
}

/**
 * Marks files in the trash for removal before their grace is over, oldest first, until the needs are met. Changes `verdicts`; the gate
 * must be open.
 *
 * @returns what all that is planned to be emptied frees.
 */
export function* emptyForSpace(trashed: Rows<TrashedFile>, verdicts: Uint8Array, { needs, frees }: ForSpace): Sliced<number> {
  const candidates: Candidate[] = [];
  let plannedBytes = 0;
  yield* forEachRow(trashed, (file, index) => {
    if (verdicts[index] === GRACE_OVER) plannedBytes += frees(file);
    const mayGo = verdicts[index] === WITHIN_GRACE || verdicts[index] === LIMIT_REACHED;
    // A file that holds no blocks of its own frees none.
    if (mayGo && frees(file) > 0) candidates.push({ index, frees: frees(file), sinceMs: file.trashedAtMs });
  });
  return takeOldest(candidates, plannedBytes, { needs, verdicts, verdictOf: indexOf, room: Number.POSITIVE_INFINITY });
}

export function* tallyTrash(trashed: Rows<TrashedFile>, verdicts: Uint8Array): Sliced<TrashTotals> {
  const none = { trashedFiles: 0, trashedBytes: 0, restoredFiles: 0, restoredBytes: 0, emptiedFiles: 0, emptiedBytes: 0 };
  const totals = { files: trashed.length, allocatedBytes: 0, dueFiles: 0, dueBytes: 0, ...none };
  yield* forEachRow(trashed, ({ allocatedBytes }, index) => {
    totals.allocatedBytes += allocatedBytes;
    const isDue = DUE.has(trashRuleOf(verdicts[index] ?? 0).reason);
    totals.dueFiles += isDue ? 1 : 0;
    totals.dueBytes += isDue ? allocatedBytes : 0;
  });
  return totals;
}

function* gatherTrashFacts(facts: Facts, files: Rows<BaseFile>, trashed: Rows<TrashedFile>): Sliced<TrashFacts> {
  const newestMs = new Map<string, number>();
  yield* forEachRow(trashed, ({ name, trashedAtMs }) => {
    newestMs.set(name, Math.max(newestMs.get(name) ?? Number.NEGATIVE_INFINITY, trashedAtMs));
  });
  const present = new Map<string, Pick<BaseFile, 'device' | 'inode'>>();
  yield* forEachRow(files, ({ name, device, inode }) => {
    if (newestMs.has(name)) present.set(name, { device, inode });
  });
  return { ...facts, newestMs, present };
}

function isSameAsBaseFile({ present }: TrashFacts, { name, device, inode }: TrashedFile): boolean {
  const file = present.get(name);
  return file !== undefined && file.device === device && file.inode === inode;
}

/** The header of a disk that somebody moved onto the file in the trash names it by its name there. */
function isNamedInTrash({ backing, references }: TrashFacts, { entry }: TrashedFile): boolean {
  return backing.has(entry) || references.byName.has(entry);
}

/** The newest of a name only: it is what was there last. */
function isNeededAgain(facts: TrashFacts, file: TrashedFile): boolean {
  if (facts.present.has(file.name) || facts.newestMs.get(file.name) !== file.trashedAtMs) return false;
  return (
    usagesByWorkload(facts, file).length > 0 ||
    usagesByOverlay(facts, file).length > 0 ||
    facts.pinsOf(file.name, digestOf(file)).length > 0
  );
}
