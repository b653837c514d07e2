import type { BaseScan } from './scan.ts';
import type { OverlayScan } from './overlay.ts';
import type { Policy } from './policy.ts';
import type { References } from './references.ts';
import type { GateObjections } from './surroundings.ts';
import type { Verification } from './verification.ts';
import type { Inventory } from './workload.ts';

/** One reading of both clocks. */
export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Everything a plan is decided from, `now` included: the planner reads no clock and no disk. */
export interface Snapshot {
  readonly node: string;
  readonly policy: Policy;
  readonly now: ClockReading;
  /** Taken just before the base directory was listed. */
  readonly scannedAt: ClockReading;
  /** The clocks at the end of the previous pass of this process, if there was one. */
  readonly previousPass: ClockReading | undefined;
  readonly scan: BaseScan;
  readonly inventory: Inventory;
  readonly references: References;
  readonly overlays: OverlayScan;
  /** What the directories and the clock have against removals; undefined where nobody looked. */
  readonly surroundings?: GateObjections | undefined;
  /** Undefined where verification is off. */
  readonly verification?: Verification | undefined;
}
