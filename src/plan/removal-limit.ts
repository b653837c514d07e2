import { usedPercent, type FilesystemUsage } from '../model/filesystem.ts';
import type { Policy } from '../model/policy.ts';

/** Where the configuration names no limit, a pass removes this share of what it could lose at most … */
const SHARE = 0.25;
/** … but so many in any case: small caches are cleaned at once, and a limit that shrinks with the cache comes to an end. */
const SMALLEST = 10;

export interface LimitFacts {
  readonly policy: Pick<Policy, 'maxRemovalsPerPass'>;
  /** Pressure mode is on, and the file system is too full: then only a limit that somebody has set counts. */
  readonly isTooFull: boolean;
}

/** How many of `files` one pass may remove. Without a limit from the configuration a mistake in the evidence costs a share of the cache, and somebody sees it. */
export function removalLimit({ policy: { maxRemovalsPerPass }, isTooFull }: LimitFacts, files: number): number {
  if (maxRemovalsPerPass === 0) return Number.POSITIVE_INFINITY;
  if (maxRemovalsPerPass !== undefined) return maxRemovalsPerPass;
  return isTooFull ? Number.POSITIVE_INFINITY : Math.max(SMALLEST, Math.floor(files * SHARE));
}

export function isAboveHighThreshold({ pressure }: Pick<Policy, 'pressure'>, filesystem: FilesystemUsage | undefined): boolean {
  return pressure !== undefined && filesystem !== undefined && usedPercent(filesystem) > pressure.highThresholdPercent;
}
