import type { BaseScan } from './scan.ts';
import type { OverlayScan } from './overlay.ts';
import type { Policy } from './policy.ts';
import type { References } from './references.ts';
import type { GateReason } from './reasons.ts';
import type { Verification } from './verification.ts';
import type { Inventory } from './workload.ts';

/** One reading of both clocks. */
export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** What speaks against removals, by the condition of the gate that it violates. */
export type GateObjections = Readonly<Partial<Record<GateReason, readonly string[]>>>;

/** What a gate is decided from; the base files themselves are not part of it. */
export interface Evidence {
  readonly policy: Policy;
  readonly now: ClockReading;
  /** Taken just before the base directory was listed. */
  readonly scannedAt: ClockReading;
  /** The clocks at the end of the previous pass of this process, if there was one. */
  readonly previousPass: ClockReading | undefined;
  readonly scan: Omit<BaseScan, 'files'>;
  readonly inventory: Inventory;
  readonly references: References;
  readonly overlays: OverlayScan;
  /** What the directories and the clock have against removals; undefined where nobody looked. */
  readonly surroundings?: GateObjections | undefined;
}

/** Everything a plan is decided from, `now` included: the planner reads no clock and no disk. */
export interface Snapshot extends Evidence {
  readonly node: string;
  readonly scan: BaseScan;
  /** Undefined where verification is off. */
  readonly verification?: Verification | undefined;
}
