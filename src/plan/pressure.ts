import type { BaseFile, TrashedFile } from '../model/scan.ts';
import { usedPercent, type FilesystemUsage } from '../model/filesystem.ts';
import type { PressurePlan } from '../model/plan.ts';
import type { Rows } from '../model/rows.ts';
import { forEachRow, type Sliced } from '../lib/slices.ts';
import type { Facts } from './facts.ts';
import { ageMs } from './minimum-age.ts';
import { emptyUnderPressure } from './trash/rules.ts';
import { PRESSED, UNUSED, YOUNG } from './verdicts.ts';

/** What is decided of all files, one byte each. */
export interface Decided {
  readonly files: Rows<BaseFile>;
  readonly verdicts: Uint8Array;
  readonly trashed: Rows<TrashedFile>;
  readonly trashVerdicts: Uint8Array;
}

/**
 * Where the file system is fuller than the high threshold, marks unused files that are younger than their minimum age, but
 * never below the floor, for removal: the trash first, then oldest first, until what is planned would bring it below the low
 * threshold. Changes both verdicts. The gate must be open; what is in use or pinned was decided before.
 *
 * @returns what the plan says of it; undefined while there is no pressure, or where it is not asked for.
 */
export function* relievePressure(
  facts: Facts,
  decided: Decided,
  filesystem: FilesystemUsage | undefined,
): Sliced<PressurePlan | undefined> {
  const { files, verdicts, trashed, trashVerdicts } = decided;
  const { pressure, minimumAgeFloorSeconds } = facts.policy;
  if (pressure === undefined || filesystem === undefined || !facts.isTooFull) return undefined;
  const usedBytes = filesystem.sizeBytes - filesystem.availableBytes;
  const bytesToFree = Math.ceil(usedBytes - (filesystem.sizeBytes * pressure.lowThresholdPercent) / 100);
  let plannedBytes = facts.gateOpen ? yield* emptyUnderPressure(trashed, trashVerdicts, bytesToFree) : 0;
  const { plannedBytes: planned, candidates } = yield* survey(facts, files, verdicts, minimumAgeFloorSeconds);
  // What goes to the trash frees nothing; the executor leaves the trash out only while the file system is too full.
  if (!facts.policy.trash.enabled || plannedBytes < bytesToFree) plannedBytes += planned;
  for (const { index, allocatedBytes } of facts.gateOpen ? candidates : []) {
    if (plannedBytes >= bytesToFree) break;
    verdicts[index] = PRESSED;
    plannedBytes += allocatedBytes;
  }
  const after = { sizeBytes: filesystem.sizeBytes, availableBytes: filesystem.availableBytes + plannedBytes };
  return {
    ...pressure,
    usedPercent: round(usedPercent(filesystem)),
    bytesToFree,
    plannedBytes,
    projectedUsedPercent: round(usedPercent(after)),
  };
}

/** What is removed anyway, and what else may go, oldest first. */
function* survey(facts: Facts, files: Rows<BaseFile>, verdicts: Uint8Array, floorSeconds: number) {
  const candidates: { index: number; allocatedBytes: number; modifiedAtMs: number }[] = [];
  let plannedBytes = 0;
  yield* forEachRow(files, (file, index) => {
    const verdict = verdicts[index];
    if (verdict === UNUSED) plannedBytes += file.allocatedBytes;
    // A file that holds no blocks frees none.
    if (verdict === YOUNG && file.allocatedBytes > 0 && ageMs(file, facts) >= floorSeconds * 1000) {
      candidates.push({ index, allocatedBytes: file.allocatedBytes, modifiedAtMs: file.modifiedAtMs });
    }
  });
  candidates.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  return { plannedBytes, candidates };
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
