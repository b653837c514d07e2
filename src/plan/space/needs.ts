import type { SpaceReason } from '../../model/reasons.ts';

/** Something that asks for space: until so many bytes are planned, files may go before their time. */
export interface Need {
  readonly reason: SpaceReason;
  readonly bytesToFree: number;
}

/** A file that may go before its time. */
export interface Candidate {
  readonly index: number;
  readonly frees: number;
  /** When it was used last, or moved to the trash. */
  readonly sinceMs: number;
}

export interface Taking {
  readonly needs: readonly Need[];
  readonly verdicts: Uint8Array;
  readonly verdictOf: (reason: SpaceReason) => number;
  /** How many files may be taken. */
  readonly room: number;
}

/**
 * Marks candidates in `verdicts`, least recently used first, until no need is left. Each is marked for the first need that is not met.
 *
 * @param plannedBytes what goes in any case.
 * @returns the same with what was taken.
 */
export function takeOldest(candidates: readonly Candidate[], plannedBytes: number, { needs, verdicts, verdictOf, room }: Taking): number {
  const oldestFirst = candidates.toSorted((a, b) => a.sinceMs - b.sinceMs);
  let planned = plannedBytes;
  for (const { index, frees } of oldestFirst.slice(0, room)) {
    const need = unmet(needs, planned);
    if (need === undefined) break;
    verdicts[index] = verdictOf(need.reason);
    planned += frees;
  }
  return planned;
}

/** The first need that so many bytes do not meet. */
export function unmet(needs: readonly Need[], plannedBytes: number): Need | undefined {
  return needs.find(({ bytesToFree }) => plannedBytes < bytesToFree);
}
