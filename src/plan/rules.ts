import type { BaseFile } from '../model/scan.ts';
import type { Verdict } from '../model/plan.ts';
import type { VerdictReason } from '../model/reasons.ts';
import type { Facts } from './facts.ts';
import { ageMs, minimumAgeSeconds } from './minimum-age.ts';
import { digestOf, usagesByOverlay, usagesByWorkload } from './usages.ts';

/** One fact about a file that decides its verdict. */
export interface Rule {
  readonly reason: VerdictReason;
  readonly verdict: (facts: Facts) => Verdict;
  readonly applies: (facts: Facts, file: BaseFile) => boolean;
}

const keep = (): Verdict => 'keep';

/** The verdict's rules: the first that applies decides. `RemovalLimitReached` needs all files and is decided after these. */
export const RULES: readonly Rule[] = [
  { reason: 'ForeignFile', verdict: keep, applies: (_facts, file) => file.kind === 'foreign' },
  { reason: 'ReferencedByWorkload', verdict: () => 'touch', applies: (facts, file) => usagesByWorkload(facts, file).length > 0 },
  {
    reason: 'BackingFileOfOverlay',
    verdict: (facts) => (facts.policy.touchBackingFiles ? 'touch' : 'keep'),
    applies: (facts, file) => usagesByOverlay(facts, file).length > 0,
  },
  { reason: 'PinnedByConfig', verdict: keep, applies: (facts, file) => facts.pinsOf(file.name, digestOf(file)).length > 0 },
  { reason: 'RemovalDisabled', verdict: keep, applies: (facts) => !facts.policy.removeUnusedBaseImages },
  { reason: 'YoungerThanMinimumAge', verdict: keep, applies: isTooYoung },
  { reason: 'GateClosed', verdict: keep, applies: (facts) => !facts.gateOpen },
  { reason: 'Unused', verdict: () => 'remove', applies: () => true },
];

function isTooYoung(facts: Facts, file: BaseFile): boolean {
  const minimumSeconds = minimumAgeSeconds(file.kind, facts.policy);
  return minimumSeconds === undefined || ageMs(file, facts) < minimumSeconds * 1000;
}
