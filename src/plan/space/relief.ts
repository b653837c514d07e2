import type { BudgetPlan, PressurePlan } from '../../model/plan.ts';
import type { Rows } from '../../model/rows.ts';
import type { BaseFile, BaseScan, TrashedFile } from '../../model/scan.ts';
import { forEachRow, type Sliced } from '../../lib/slices.ts';
import type { Facts } from '../facts.ts';
import { ageMs } from '../minimum-age.ts';
import { removalLimit } from '../removal-limit.ts';
import { emptyForSpace } from '../trash/rules.ts';
import { LIMIT_REACHED, UNUSED, verdictFor, YOUNG } from '../verdicts.ts';
import { budgetNeed, budgetPlan, budgetState } from './budget.ts';
import { takeOldest, unmet, type Candidate, type Need } from './needs.ts';
import { pressureNeed, pressurePlan } from './pressure.ts';

/** What is decided of all files, one byte each. */
export interface Decided {
  readonly verdicts: Uint8Array;
  readonly trashed: Rows<TrashedFile>;
  readonly trashVerdicts: Uint8Array;
}

export interface SpacePlans {
  /** Undefined while there is no pressure, or where it is not asked for. */
  readonly pressure: PressurePlan | undefined;
  /** Undefined where the cache has no budget. */
  readonly budget: BudgetPlan | undefined;
}

/**
 * Where the file system is too full or the cache is over its budget, marks unused files that are younger than their minimum age, but never
 * below the floor, for removal: the trash first, then least recently used first, until what is planned would be enough. Changes both
 * verdicts. The gate must be open; what is in use or pinned was decided before.
 */
export function* relieve(facts: Facts, decided: Decided, scan: BaseScan): Sliced<SpacePlans> {
  const pressure = pressureNeed(facts, scan.filesystem);
  const budget = budgetState(facts, scan);
  if (pressure === undefined && budget === undefined) return { pressure: undefined, budget: undefined };
  const needs = [pressure, budgetNeed(budget)].filter((need) => need !== undefined);
  const planned = yield* takeForSpace(facts, decided, { needs, scan });
  return { pressure: pressurePlan(facts, scan.filesystem, { need: pressure, ...planned }), budget: budgetPlan(budget, planned) };
}

interface Asked {
  readonly needs: readonly Need[];
  readonly scan: BaseScan;
}

function* takeForSpace(facts: Facts, { verdicts, trashed, trashVerdicts }: Decided, { needs, scan }: Asked) {
  const frees = freedBy(scan);
  const fromTrash = yield* emptyForSpace(trashed, trashVerdicts, { needs: facts.gateOpen ? needs : [], frees });
  const { unusedBytes, candidates, limit, waiting } = yield* survey(facts, { files: scan.files, verdicts, frees });
  // What goes to the trash frees nothing; the executor leaves the trash out only while there is a need.
  const isFreed = !facts.policy.trash.enabled || unmet(needs, fromTrash) !== undefined;
  const before = fromTrash + (isFreed ? unusedBytes : 0);
  const room = facts.gateOpen ? limit : 0;
  const plannedBytes = takeOldest(candidates, before, { needs, verdicts, verdictOf: verdictFor, room });
  return { plannedBytes, waitingFiles: facts.gateOpen ? waiting + Math.max(0, candidates.length - room) : 0 };
}

interface Surveyed {
  readonly files: Rows<BaseFile>;
  readonly verdicts: Uint8Array;
  readonly frees: (file: BaseFile) => number;
}

/** What is removed anyway, what else may go, and how many files the limit of a pass leaves for that. */
function* survey(facts: Facts, { files, verdicts, frees }: Surveyed) {
  const floorMs = facts.policy.minimumAgeFloorSeconds * 1000;
  const candidates: Candidate[] = [];
  let [baseFiles, unusedFiles, unusedBytes, waiting] = [0, 0, 0, 0];
  yield* forEachRow(files, (file, index) => {
    const verdict = verdicts[index];
    if (file.kind !== 'foreign') baseFiles++;
    if (verdict === LIMIT_REACHED) waiting++;
    if (verdict === UNUSED) {
      unusedFiles++;
      unusedBytes += frees(file);
    }
    // A file that holds no blocks of its own frees none.
    if (verdict === YOUNG && frees(file) > 0 && ageMs(file, facts) >= floorMs) {
      candidates.push({ index, frees: frees(file), sinceMs: file.modifiedAtMs });
    }
  });
  return { unusedBytes, candidates, limit: Math.max(0, removalLimit(facts, baseFiles) - unusedFiles), waiting };
}

/** What is freed for sure where a file goes for good. */
function freedBy({ footprint }: BaseScan): (file: BaseFile) => number {
  if (footprint === undefined || footprint.freeNothing.size === 0) return ({ allocatedBytes }) => allocatedBytes;
  return ({ device, inode, allocatedBytes }) => (footprint.freeNothing.has(`${device}:${inode}`) ? 0 : allocatedBytes);
}
