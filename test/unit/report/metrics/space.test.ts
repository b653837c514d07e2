import { describe, expect, it } from 'vitest';
import type { BudgetPlan } from '../../../../src/model/plan.ts';
import type { Report } from '../../../../src/model/report.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { createMetrics } from '../../../../src/report/metrics/metrics.ts';
import { plannedFile, removableFile, report, trashedFile, trashPlan } from '../../../helpers/reports.ts';

const GIB = 2 ** 30;

/** What the last of these passes leaves in the metrics about space. */
async function space(...reports: readonly Report[]): Promise<Record<string, number>> {
  const metrics = createMetrics({ version: '1', processMetrics: false });
  for (const each of reports) metrics.observe(each, digestOf(each));
  const { body } = await metrics.scrape(undefined);
  const found = body.matchAll(/^basekeeper_(cache_bytes|reserve_bytes|budget_bytes|budget_exceeded) (\d+)$/gm);
  return Object.fromEntries(Array.from(found, ([, name = '', value]) => [name, Number(value)]));
}

function budget(over: Partial<BudgetPlan> = {}): BudgetPlan {
  return { maxBytes: 4 * GIB, lowBytes: 3 * GIB, heldBytes: 2 * GIB, bytesToFree: 0, plannedBytes: 0, projectedBytes: 0, ...over };
}

describe('the metrics about space', () => {
  it('should say that the whole budget is to be reserved, while the cache keeps to it', async () => {
    expect(await space(report({ budget: budget() }))).toEqual({
      cache_bytes: 2 * GIB,
      reserve_bytes: 4 * GIB,
      budget_bytes: 4 * GIB,
      budget_exceeded: 0,
    });
  });

  it('should say that what is held is to be reserved, where that is more and cannot go', async () => {
    const over = { cache_bytes: 5 * GIB, reserve_bytes: 5 * GIB, budget_bytes: 4 * GIB, budget_exceeded: 1 };
    expect(await space(report({ budget: budget({ heldBytes: 5 * GIB }) }))).toEqual(over);
  });

  it('should count what the pass removed, and not what it moved to the trash', async () => {
    const files = [removableFile({ outcome: 'removed' }), removableFile({ outcome: 'trashed', name: 'b' })];
    const removed = report({ budget: budget({ heldBytes: 5 * GIB }), files });
    expect(await space(removed)).toMatchObject({ cache_bytes: 4 * GIB, budget_exceeded: 0 });
    const plan = trashPlan([trashedFile('a.1')]);
    const trash = { ...plan, totals: { ...plan.totals, emptiedFiles: 1, emptiedBytes: GIB } };
    expect(await space(report({ ...removed, files, trash }))).toMatchObject({ cache_bytes: 3 * GIB });
  });

  it('should say what the cache holds where there is no budget, and nothing before the first pass', async () => {
    const trash = trashPlan([trashedFile('a.1')]);
    expect(await space(report({ files: [plannedFile()], trash }))).toEqual({ cache_bytes: 2 * GIB, reserve_bytes: 2 * GIB });
    expect(await space()).toEqual({});
  });
});
