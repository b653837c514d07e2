import type { Policy } from '../model/policy.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { isAboveHighThreshold } from './removal-limit.ts';
import { pinLookup, type PinLookup } from './pins.ts';
import { indexBaseImages, indexOverlays, type UsageLookup } from './usages.ts';

/** What the rules look things up in: indexes built once per plan. */
export interface Facts extends UsageLookup {
  readonly policy: Policy;
  readonly nowMs: number;
  readonly gateOpen: boolean;
  readonly isTooFull: boolean;
  readonly partialDownloads: ReadonlyMap<string, number>;
  /** Who pins the file, each with the image id or the glob that it is pinned by. */
  readonly pinsOf: PinLookup;
  /** Base files that name other files and stay themselves, in the base directory or in the trash. */
  readonly staying: ReadonlySet<string>;
}

/** @param gateOpen what `checkGate` said of the same snapshot. `staying` is empty: `stayingBaseFiles` (standing.ts) finds them by these facts. */
export function gatherFacts(snapshot: Snapshot, gateOpen: boolean): Facts {
  return {
    policy: snapshot.policy,
    nowMs: snapshot.now.wallMs,
    gateOpen,
    isTooFull: isAboveHighThreshold(snapshot.policy, snapshot.scan.filesystem),
    references: snapshot.references,
    backing: indexOverlays(snapshot.overlays.overlays),
    standing: indexBaseImages(snapshot.overlays.baseImages),
    partialDownloads: snapshot.scan.partialDownloads,
    pinsOf: pinLookup(snapshot),
    staying: new Set(),
  };
}
