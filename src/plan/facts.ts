import picomatch from 'picomatch';
import type { Policy } from '../model/policy.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { indexBackingFiles, type UsageLookup } from './usages.ts';

/** What the rules look things up in: indexes built once per plan. */
export interface Facts extends UsageLookup {
  readonly policy: Policy;
  readonly nowMs: number;
  readonly gateOpen: boolean;
  readonly partialDownloads: ReadonlyMap<string, number>;
  readonly isPinned: (name: string, digest: string | undefined) => boolean;
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
    isPinned: pinMatcher(snapshot.policy, digestOfRef),
  };
}

function pinMatcher(policy: Policy, digestOfRef: (imageRef: string) => string): Facts['isPinned'] {
  const digests = new Set(policy.pins.imageRefs.map(digestOfRef));
  const matchers = policy.pins.fileNames.map((glob) => picomatch(glob, { dot: true }));
  if (digests.size === 0 && matchers.length === 0) return () => false;
  return (name, digest) => (digest !== undefined && digests.has(digest)) || matchers.some((matches) => matches(name));
}
