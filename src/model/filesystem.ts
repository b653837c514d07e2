import type { BudgetPolicy } from './policy.ts';

export interface FilesystemUsage {
  readonly sizeBytes: number;
  /** What an unprivileged writer can still use (`f_bavail`). */
  readonly availableBytes: number;
}

/** Share of the file system that an unprivileged writer can no longer use, in percent: what `df` calls Use%. */
export function usedPercent({ sizeBytes, availableBytes }: FilesystemUsage): number {
  return sizeBytes === 0 ? 0 : (100 * (sizeBytes - availableBytes)) / sizeBytes;
}

/** True where the file system is at or below the low threshold, or where no threshold is set. */
export function isRelieved(usage: FilesystemUsage, pressure: { readonly lowThresholdPercent: number } | undefined): boolean {
  return pressure === undefined || usedPercent(usage) <= pressure.lowThresholdPercent;
}

/** How much a cache may hold, in bytes, and how far removals bring it down where it holds more. */
export interface BudgetLimits {
  readonly maxBytes: number;
  readonly lowBytes: number;
}

/** Undefined without a budget, and where a share is asked for of a file system that does not say how large it is. */
export function budgetLimits(
  budget: BudgetPolicy | undefined,
  filesystem: Pick<FilesystemUsage, 'sizeBytes'> | undefined,
): BudgetLimits | undefined {
  if (budget === undefined) return undefined;
  const { maxPercentOfFilesystem: percent, lowPercentOfMax } = budget;
  const share = percent === undefined || filesystem === undefined ? undefined : (filesystem.sizeBytes * percent) / 100;
  const maxBytes = budget.maxBytes ?? share;
  return maxBytes === undefined ? undefined : { maxBytes: Math.floor(maxBytes), lowBytes: Math.floor((maxBytes * lowPercentOfMax) / 100) };
}

/** Whose file it is, and where it lies. */
export interface Provenance {
  readonly uid: number;
  readonly mode: number;
  readonly device: number;
  /** How many names it has: none where it was replaced and only a mount still shows it. */
  readonly links: number;
}

/** Where a directory lies on an NFS server. */
export interface NfsShare {
  /** The server by every name and address that the mount has for it; in lower case. */
  readonly servers: readonly string[];
  /** Of the server; normalized. */
  readonly path: string;
}
