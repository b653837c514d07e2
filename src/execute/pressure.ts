import type { Policy } from '../model/policy.ts';
import type { BaseDirectory } from '../model/ports.ts';

/** Measured by what the file system says now: sparse, shared and still open files free less than their size. */
export function isRelieved(directory: Pick<BaseDirectory, 'usage'>, { pressure }: Pick<Policy, 'pressure'>): boolean {
  if (pressure === undefined) return true;
  const { sizeBytes, availableBytes } = directory.usage();
  return sizeBytes - availableBytes <= (sizeBytes * pressure.lowThresholdPercent) / 100;
}
