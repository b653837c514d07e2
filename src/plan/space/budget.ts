import { budgetLimits, type BudgetLimits } from '../../model/filesystem.ts';
import type { BudgetPlan } from '../../model/plan.ts';
import type { BaseScan, Footprint } from '../../model/scan.ts';
import type { Facts } from '../facts.ts';
import type { Need } from './needs.ts';

/** What is held, and what may be. */
export interface BudgetState extends BudgetLimits {
  readonly footprint: Footprint;
}

/** Undefined without a budget, and where nobody could say what is held or how large the file system is. */
export function budgetState({ policy }: Facts, { footprint, filesystem }: BaseScan): BudgetState | undefined {
  const limits = budgetLimits(policy.budget, filesystem);
  return limits === undefined || footprint === undefined ? undefined : { ...limits, footprint };
}

/** What a cache that holds more than its budget asks for: to come down to the low mark. */
export function budgetNeed(state: BudgetState | undefined): Need | undefined {
  const bytesToFree = state === undefined ? 0 : excess(state);
  return bytesToFree === 0 ? undefined : { reason: 'OverBudget', bytesToFree };
}

export function budgetPlan(
  state: BudgetState | undefined,
  { plannedBytes, waitingFiles }: { readonly plannedBytes: number; readonly waitingFiles: number },
): BudgetPlan | undefined {
  if (state === undefined) return undefined;
  const { bytes: heldBytes, unseenEntries } = state.footprint;
  const bytesToFree = excess(state);
  const isShort = plannedBytes < bytesToFree && waitingFiles > 0;
  return {
    maxBytes: state.maxBytes,
    lowBytes: state.lowBytes,
    heldBytes,
    ...(unseenEntries === 0 ? {} : { unseenEntries }),
    bytesToFree,
    plannedBytes,
    projectedBytes: heldBytes - plannedBytes,
    ...(isShort ? { waitingFiles } : {}),
  };
}

function excess({ footprint: { bytes }, maxBytes, lowBytes }: BudgetState): number {
  return bytes > maxBytes ? bytes - lowBytes : 0;
}
