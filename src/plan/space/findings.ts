import { humanBytes } from '../../lib/text.ts';
import type { BudgetPlan, Finding, PressurePlan, StateTotal, Totals, TrashPlan } from '../../model/plan.ts';
import type { SpacePlans } from './relief.ts';

/** What the cache holds. */
interface Holdings {
  readonly states: readonly StateTotal[];
  readonly totals: Totals;
  readonly trash: TrashPlan | undefined;
}

/** What holds the space, where what may go is not enough. */
export function spaceFindings({ pressure, budget }: SpacePlans, holdings: Holdings): Finding[] {
  return [...pressureFindings(pressure, holdings), ...budgetFindings(budget, holdings), ...uncounted(budget)];
}

function pressureFindings(pressure: PressurePlan | undefined, { states }: Holdings): Finding[] {
  if (pressure === undefined || pressure.plannedBytes >= pressure.bytesToFree) return [];
  const { usedPercent, projectedUsedPercent, highThresholdPercent, lowThresholdPercent } = pressure;
  const message =
    `the file system is ${usedPercent} % full (thresholds ${highThresholdPercent} and ${lowThresholdPercent} %), after the planned removals ` +
    `${projectedUsedPercent} %; base files hold: ${listed(byState(states))}; the rest is not in the cache`;
  return [{ type: 'FilesystemPressure', message }];
}

/** Not between low mark and budget: that is kept to. Nor while the limit of a pass leaves files that may go for the next. */
function budgetFindings(budget: BudgetPlan | undefined, { states, totals, trash }: Holdings): Finding[] {
  if (budget === undefined || budget.bytesToFree === 0 || budget.projectedBytes <= budget.maxBytes) return [];
  if (budget.waitingFiles !== undefined) return [];
  const inTrash = trash?.totals.allocatedBytes ?? 0;
  const others = new Map([
    ['the trash', inTrash],
    ['other entries', budget.heldBytes - totals.allocatedBytes - inTrash],
  ]);
  const message =
    `the cache holds ${humanBytes(budget.heldBytes)} and its budget is ${humanBytes(budget.maxBytes)}, after the planned removals it holds ` +
    `${humanBytes(budget.projectedBytes)}: ${listed(new Map([...byState(states), ...others]))}`;
  return [{ type: 'BudgetExceeded', message }];
}

function uncounted(budget: BudgetPlan | undefined): Finding[] {
  if (budget?.unseenEntries === undefined) return [];
  const message =
    `entries below the base directory that could not be counted: ${budget.unseenEntries}. ` +
    `The cache holds more than ${humanBytes(budget.heldBytes)}, so the budget is not kept to for sure; make them readable, or move them away`;
  return [{ type: 'ScanProblem', message }];
}

function byState(states: readonly StateTotal[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { state, allocatedBytes } of states) bytes.set(state, (bytes.get(state) ?? 0) + allocatedBytes);
  return bytes;
}

function listed(bytes: ReadonlyMap<string, number>): string {
  const held = [...bytes].filter(([, size]) => size > 0).toSorted(([, a], [, b]) => b - a);
  return held.length === 0 ? 'nothing' : held.map(([what, size]) => `${what} ${humanBytes(size)}`).join(', ');
}
