import type { BaseFile, FilesystemUsage } from '../model/base-file.ts';
import type { PressurePlan } from '../model/plan.ts';
import type { Rows } from '../model/rows.ts';
import { eachRow, type Steps } from '../model/steps.ts';
import type { Facts } from './facts.ts';
import { ageMs } from './minimum-age.ts';
import { PRESSED, UNUSED, YOUNG } from './verdicts.ts';

/** Share of the file system that an unprivileged writer can no longer use, in percent: what `df` calls Use%. */
export function usedPercent({ sizeBytes, availableBytes }: FilesystemUsage): number {
  return sizeBytes === 0 ? 0 : (100 * (sizeBytes - availableBytes)) / sizeBytes;
}

/**
 * Where the file system is fuller than the high threshold, marks unused files that are younger than their minimum age, but
 * never below the floor, for removal: oldest first, until what is planned would bring it below the low threshold. Changes
 * `verdicts`. The gate must be open; what is in use or pinned was decided before.
 *
 * @returns what the plan says of it; undefined while there is no pressure, or where it is not asked for.
 */
export function* relievePressure(
  facts: Facts,
  files: Rows<BaseFile>,
  verdicts: Uint8Array,
  filesystem: FilesystemUsage | undefined,
): Steps<PressurePlan | undefined> {
  const { pressure, minimumAgeFloorSeconds } = facts.policy;
  if (pressure === undefined || filesystem === undefined || usedPercent(filesystem) <= pressure.highThresholdPercent) return undefined;
  const usedBytes = filesystem.sizeBytes - filesystem.availableBytes;
  const bytesToFree = Math.ceil(usedBytes - (filesystem.sizeBytes * pressure.lowThresholdPercent) / 100);
  const { plannedBytes: planned, candidates } = yield* survey(facts, files, verdicts, minimumAgeFloorSeconds);
  let plannedBytes = planned;
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
  yield* eachRow(files, (file, index) => {
    const verdict = verdicts[index];
    if (verdict === UNUSED) plannedBytes += file.allocatedBytes;
    // A file that holds no blocks frees none.
    if (verdict === YOUNG && file.allocatedBytes > 0 && ageMs(file, facts) >= floorSeconds * 1000) {
      candidates.push({ index, allocatedBytes: file.allocatedBytes, modifiedAtMs: file.modifiedAtMs });
    }
    return undefined;
  });
  candidates.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
  return { plannedBytes, candidates };
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
