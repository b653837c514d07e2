import type { BaseFile, BaseFileKind } from '../model/scan.ts';
import type { Policy } from '../model/policy.ts';
import type { Facts } from './facts.ts';
import { configuredMinimumAgeSeconds, digestOf } from '../model/names.ts';

/**
 * Seconds for which a file of this kind must have been unused; undefined for foreign files. Mirrors Nova's
 * `_remove_base_file` and `_remove_swap_file`, but never goes below `minimumAgeFloorSeconds`.
 */
export function minimumAgeSeconds(kind: BaseFileKind, policy: Policy): number | undefined {
  const configured = configuredMinimumAgeSeconds(kind, policy);
  return configured === undefined ? undefined : Math.max(configured, policy.minimumAgeFloorSeconds);
}

/** Milliseconds since the file, or a download in progress of its image, was last written. Negative when that lies in the future. */
export function ageMs(file: BaseFile, facts: Pick<Facts, 'nowMs' | 'partialDownloads'>): number {
  if (facts.partialDownloads.size === 0) return facts.nowMs - file.modifiedAtMs;
  const digest = digestOf(file);
  const partialMs = digest === undefined ? undefined : facts.partialDownloads.get(digest);
  return facts.nowMs - Math.max(file.modifiedAtMs, partialMs ?? Number.NEGATIVE_INFINITY);
}
