import { budgetLimits, isRelieved, type FilesystemUsage } from '../model/filesystem.ts';
import type { Plan } from '../model/plan.ts';
import type { Policy } from '../model/policy.ts';
import type { FileOutcome } from '../model/ports.ts';
import { isForSpace } from '../model/reasons.ts';
import type { Result } from './recheck.ts';

export interface SpaceParts {
  readonly policy: Pick<Policy, 'pressure' | 'budget'>;
  readonly plan: Pick<Plan, 'pressure' | 'budget'>;
  /** Of the file system that the base directory is on. */
  readonly usage: () => FilesystemUsage;
}

/**
 * Whether space is still short while a plan is carried out. The file system is asked each time: what is removed may free nothing. The bytes
 * of the cache are counted down from the plan, as the plan counts them: what has another name frees nothing.
 */
export class SpaceWatch {
  readonly #parts: SpaceParts;
  #freedBytes = 0;

  constructor(parts: SpaceParts) {
    this.#parts = parts;
  }

  /** What became of a file that was to go for good. */
  settled({ outcome, freedNothing }: Omit<FileOutcome, 'name'>, { allocatedBytes }: { readonly allocatedBytes: number }): void {
    if (freedNothing === true) return;
    if (outcome === 'removed' || outcome === 'emptied' || outcome === 'AlreadyGone') this.#freedBytes += allocatedBytes;
  }

  /** Whether a file that is to go for this reason is still asked for, by pressure or budget. */
  isShort(reason: string): boolean {
    return this.#isTooFull(reason) || this.#isOverBudget();
  }

  #isTooFull(reason: string): boolean {
    const { policy, plan, usage } = this.#parts;
    return (plan.pressure !== undefined || reason === 'UnderPressure') && !isRelieved(usage(), policy.pressure);
  }

  #isOverBudget(): boolean {
    const { policy, plan, usage } = this.#parts;
    if (policy.budget === undefined || plan.budget === undefined || plan.budget.bytesToFree === 0) return false;
    const { maxPercentOfFilesystem } = policy.budget;
    const limits = budgetLimits(policy.budget, maxPercentOfFilesystem === undefined ? undefined : usage());
    return limits !== undefined && plan.budget.heldBytes - this.#freedBytes > limits.lowBytes;
  }
}

/** Why a file that only lack of space asks for stays after all. */
export function relief(space: Pick<SpaceWatch, 'isShort'>, { reason }: { readonly reason: string }): Result | undefined {
  if (!isForSpace(reason) || space.isShort(reason)) return undefined;
  return { outcome: 'kept', message: 'Enough space was freed without it.' };
}
