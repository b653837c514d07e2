import type { BaseFile } from '../model/scan.ts';
import type { Verdict } from '../model/plan.ts';
import type { VerdictReason } from '../model/reasons.ts';
import type { Facts } from './facts.ts';
import { ageMs, minimumAgeSeconds } from './minimum-age.ts';
import { usagesByBaseFile, usagesByOverlay, usagesByWorkload } from './usages.ts';
import { digestOf } from '../model/names.ts';

/** One fact about a file that decides its verdict. */
export interface Rule {
  readonly reason: VerdictReason;
  readonly verdict: (facts: Facts, file: BaseFile) => Verdict;
  readonly applies: (facts: Facts, file: BaseFile) => boolean;
}

const keep = (): Verdict => 'keep';

function isForeign(_facts: Facts, { kind }: BaseFile): boolean {
  return kind === 'foreign';
}

function isNamedByWorkload(facts: Facts, file: BaseFile): boolean {
  return usagesByWorkload(facts, file).length > 0;
}

function backsOverlay(facts: Facts, file: BaseFile): boolean {
  return usagesByOverlay(facts, file).length > 0;
}

function backsBaseFile(facts: Facts, file: BaseFile): boolean {
  return usagesByBaseFile(facts, file).length > 0;
}

function touchIfWanted({ policy }: Facts): Verdict {
  return policy.touchBackingFiles ? 'touch' : 'keep';
}

/** What is backed by the file may be about to go itself: then the file waits for the next pass, and its age counts on. */
function touchIfLasting(facts: Facts, file: BaseFile): Verdict {
  const isLasting = usagesByBaseFile(facts, file).some(({ value }) => facts.staying.has(value));
  return isLasting ? touchIfWanted(facts) : 'keep';
}

function isPinned(facts: Facts, file: BaseFile): boolean {
  return facts.pinsOf(file.name, digestOf(file)).length > 0;
}

function isTooYoung(facts: Facts, file: BaseFile): boolean {
  const minimumSeconds = minimumAgeSeconds(file.kind, facts.policy);
  return minimumSeconds === undefined || ageMs(file, facts) < minimumSeconds * 1000;
}

/** The verdict's rules: the first that applies decides. `RemovalLimitReached` needs all files and is decided after these. */
export const RULES: readonly Rule[] = [
  { reason: 'ForeignFile', verdict: keep, applies: isForeign },
  { reason: 'ReferencedByWorkload', verdict: () => 'touch', applies: isNamedByWorkload },
  { reason: 'BackingFileOfOverlay', verdict: touchIfWanted, applies: backsOverlay },
  { reason: 'BackingFileOfBaseFile', verdict: touchIfLasting, applies: backsBaseFile },
  { reason: 'PinnedByConfig', verdict: keep, applies: isPinned },
  { reason: 'RemovalDisabled', verdict: keep, applies: (facts) => !facts.policy.removeUnusedBaseImages },
  { reason: 'YoungerThanMinimumAge', verdict: keep, applies: isTooYoung },
  { reason: 'GateClosed', verdict: keep, applies: (facts) => !facts.gateOpen },
  { reason: 'Unused', verdict: () => 'remove', applies: () => true },
];
