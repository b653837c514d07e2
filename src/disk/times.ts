/**
 * Time stamps have a granularity, and within it a file or directory can change twice without a trace. The kernel's tick is 10 ms
 * at worst; a file system that stores whole seconds (ext3, ext4 with small inodes, some NFS servers) shows stamps without a fraction.
 */
const TICK_NS = 20_000_000n;
const SECOND_NS = 1_000_000_000n;

/** For how long after a stamp another change may leave the same stamp, in nanoseconds. */
export function granularityNs(stampNs: bigint): bigint {
  return isCoarse(stampNs) ? 2n * SECOND_NS : TICK_NS;
}

/** Whether the stamp may be of a file system that stores whole seconds. */
export function isCoarse(stampNs: bigint | undefined): boolean {
  return stampNs !== undefined && stampNs % SECOND_NS === 0n;
}

/** Whether something with this ctime may have changed since without a trace, or may do so. False where there is no stamp. */
export function isFreshTime(ctimeNs: bigint | undefined, nowMs: number): boolean {
  if (ctimeNs === undefined) return false;
  const ageNs = BigInt(Math.floor(nowMs)) * 1_000_000n - ctimeNs;
  return ageNs < granularityNs(ctimeNs) && -ageNs < granularityNs(ctimeNs);
}
