import type { LedgerState } from './ledger/recorder.ts';
import type { Plan } from './plan.ts';
import type { PassResult } from './reasons.ts';

export type Stage = 'scan' | 'references' | 'overlays' | 'plan' | 'execute';
export const STAGES: readonly Stage[] = ['scan', 'references', 'overlays', 'plan', 'execute'];

/** A plan that was carried out (or, in a dry run, was not), with what became of each file. */
export interface Report extends Omit<Plan, 'kind'> {
  readonly kind: 'Report';
  readonly result: PassResult;
  /** Whether the pass was to remove nothing in any case; absent where there was no pass. */
  readonly dryRun?: boolean | undefined;
  /** Why the pass failed or was skipped. */
  readonly message?: string | undefined;
  readonly durationSeconds: number;
  readonly stageSeconds: Readonly<Partial<Record<Stage, number>>>;
  /** Seconds waited for file locks, one entry per lock. */
  readonly lockWaitSeconds: readonly number[];
  /** Where removals are recorded; absent where they are not, and in a dry run. */
  readonly ledger?: LedgerState | undefined;
}
