import type { Report } from '../model/report.ts';

export interface BudgetAfter {
  readonly maxBytes: number;
  readonly heldBytes: number;
  readonly isOver: boolean;
}

/** What the cache holds of its budget after the pass. Undefined without a budget. */
export function budgetAfter({ budget, totals, trash }: Report): BudgetAfter | undefined {
  if (budget === undefined) return undefined;
  const heldBytes = budget.heldBytes - totals.removedBytes - (trash?.totals.emptiedBytes ?? 0);
  return { maxBytes: budget.maxBytes, heldBytes, isOver: heldBytes > budget.maxBytes };
}
