import type { Report } from '../../model/report.ts';
import { budgetAfter } from '../budget.ts';
import type { ReportDigest } from '../digest.ts';
import type { MetricName } from './definitions.ts';
import type { MetricSet } from './metric-set.ts';

/** Of the last two there is nothing without a budget. */
export const SPACE_METRICS = [
  'basekeeper_cache_bytes',
  'basekeeper_reserve_bytes',
  'basekeeper_budget_bytes',
  'basekeeper_budget_exceeded',
] as const satisfies MetricName[];

/** What the cache takes, what it may take, and what a scheduler should keep free for it: never less than either. */
export function showSpace(set: MetricSet, report: Report, { remaining, trash }: ReportDigest): void {
  const budget = budgetAfter(report);
  const held = budget?.heldBytes ?? remaining.allocatedBytes + (trash?.remaining.bytes ?? 0);
  set.gauge('basekeeper_cache_bytes').set(held);
  set.gauge('basekeeper_reserve_bytes').set(Math.max(budget?.maxBytes ?? 0, held));
  if (budget === undefined) return;
  set.gauge('basekeeper_budget_bytes').set(budget.maxBytes);
  set.gauge('basekeeper_budget_exceeded').set(budget.isOver ? 1 : 0);
}
