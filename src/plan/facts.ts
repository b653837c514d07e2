import type { Policy } from '../model/policy.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { pinLookup, type PinLookup } from './pins.ts';
import { indexBackingFiles, type UsageLookup } from './usages.ts';

/** What the rules look things up in: indexes built once per plan. */
export interface Facts extends UsageLookup {
  readonly policy: Policy;
  readonly nowMs: number;
  readonly gateOpen: boolean;
  readonly partialDownloads: ReadonlyMap<string, number>;
  /** Who pins the file, each with the image id or the glob that it is pinned by. */
  readonly pinsOf: PinLookup;
}

/**
 * @param gateOpen what `checkGate` said of the same snapshot.
 * @param digestOfRef turns a pinned image id into the name of its base file (`cacheFileName`).
 */
export function gatherFacts(snapshot: Snapshot, gateOpen: boolean, digestOfRef: (imageRef: string) => string): Facts {
  return {
    policy: snapshot.policy,
    nowMs: snapshot.now.wallMs,
    gateOpen,
    references: snapshot.references,
    backing: indexBackingFiles(snapshot.overlays.overlays),
    partialDownloads: snapshot.scan.partialDownloads,
    pinsOf: pinLookup(snapshot, digestOfRef),
  };
}
