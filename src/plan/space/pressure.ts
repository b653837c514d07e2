import { usedPercent, type FilesystemUsage } from '../../model/filesystem.ts';
import type { PressurePlan } from '../../model/plan.ts';
import type { Facts } from '../facts.ts';
import type { Need } from './needs.ts';

/** What a file system that is fuller than the high threshold asks for: to come below the low one. */
export function pressureNeed({ policy: { pressure }, isTooFull }: Facts, filesystem: FilesystemUsage | undefined): Need | undefined {
  if (pressure === undefined || filesystem === undefined || !isTooFull) return undefined;
  const usedBytes = filesystem.sizeBytes - filesystem.availableBytes;
  return {
    reason: 'UnderPressure',
    bytesToFree: Math.ceil(usedBytes - (filesystem.sizeBytes * pressure.lowThresholdPercent) / 100),
  };
}

export function pressurePlan(
  { policy: { pressure } }: Facts,
  filesystem: FilesystemUsage | undefined,
  { need, plannedBytes }: { readonly need: Need | undefined; readonly plannedBytes: number },
): PressurePlan | undefined {
  if (pressure === undefined || filesystem === undefined || need === undefined) return undefined;
  const after = { sizeBytes: filesystem.sizeBytes, availableBytes: filesystem.availableBytes + plannedBytes };
  return {
    ...pressure,
    usedPercent: round(usedPercent(filesystem)),
    bytesToFree: need.bytesToFree,
    plannedBytes,
    projectedUsedPercent: round(usedPercent(after)),
  };
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
