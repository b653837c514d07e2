import type { WorkloadsFile } from './workloads-file.ts';

/** What the file must say of itself. */
export interface FileTrust {
  /** Whether `generatedAt` and `complete` must be there. */
  readonly required: boolean;
  /** How old the list may be that says its age. */
  readonly maximumAgeSeconds: number;
}

/** A clock may be this far from the one of anyone who made the list. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Why the list may not be all that runs now. Half a list, or an old one, looks like a short one. */
export function doubtsOf({ generatedAtMs, complete }: Omit<WorkloadsFile, 'workloads'>, trust: FileTrust, nowMs: number): string[] {
  return [...completenessDoubts(complete, trust), ...ageDoubts(generatedAtMs, trust, nowMs)];
}

function completenessDoubts(complete: boolean | undefined, { required }: FileTrust): string[] {
  if (complete === false) return ['it says "complete: false": it is not the whole list'];
  return complete === undefined && required ? ['it may be cut off: it lacks "complete: true", which belongs at its end'] : [];
}

function ageDoubts(generatedAtMs: number | undefined, { required, maximumAgeSeconds }: FileTrust, nowMs: number): string[] {
  if (generatedAtMs === undefined) return required ? ['it lacks "generatedAt", the time when the list was made'] : [];
  const ageMs = nowMs - generatedAtMs;
  if (ageMs < -CLOCK_TOLERANCE_MS) return [`its "generatedAt" lies ${Math.round(-ageMs / 1000)} s in the future: set the clocks`];
  if (ageMs <= maximumAgeSeconds * 1000) return [];
  return [
    `it was made ${Math.round(ageMs / 1000)} s ago, longer than ${maximumAgeSeconds} s (sources.file.maximumAgeSeconds): write it again`,
  ];
}
