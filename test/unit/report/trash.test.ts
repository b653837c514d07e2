import { describe, expect, it } from 'vitest';
import type { Plan, PlannedTrashedFile } from '../../../src/model/plan.ts';
import type { Report } from '../../../src/model/report.ts';
import type { Execution, FileOutcome } from '../../../src/model/ports.ts';
import { buildReport } from '../../../src/report/build-report.ts';
import { digestOf } from '../../../src/report/digest.ts';
import { NO_TROUBLES, planEvents } from '../../../src/report/events/plan-events.ts';
import { createMetrics } from '../../../src/report/metrics/metrics.ts';
import { planOf } from '../../../src/report/plan-of.ts';
import { summarize } from '../../../src/report/summary.ts';
import { planTable } from '../../../src/report/terminal/plan/table.ts';
import { NODE, removableFile, report, trashedFile, trashPlan } from '../../helpers/reports.ts';

const GIB = 2 ** 30;
const FACTS = { dryRun: false, durationSeconds: 1, stageSeconds: {} };

function planWith(files: readonly PlannedTrashedFile[], over: Partial<Plan> = {}): Plan {
  return { ...planOf(report({ files: [removableFile()] })), trash: trashPlan(files), ...over };
}

const FILES = [
  trashedFile('a.1'),
  trashedFile('b.2', { verdict: 'restore', reason: 'NeededAgain' }),
  trashedFile('c.3', { verdict: 'keep', reason: 'WithinGrace' }),
];

/** One file was moved to the trash, one emptied, one put back, one kept there. */
function busyReport(outcomes: Readonly<Record<string, FileOutcome['outcome']>> = { 'a.1': 'emptied', 'b.2': 'restored' }): Report {
  const plan = planWith(FILES);
  const execution: Execution = {
    outcomes: new Map([...plan.files].map(({ name }) => [name, { name, outcome: 'trashed' }])),
    trash: new Map(Object.entries(outcomes).map(([name, outcome]) => [name, { name, outcome }])),
    lockWaitSeconds: [],
  };
  return buildReport(plan, execution, FACTS);
}

describe('the trash in reports', () => {
  it('should count what was moved there as gone from the cache, but not as removed', () => {
    const busy = busyReport();
    expect(busy).toMatchObject({ result: 'Succeeded', totals: { removedFiles: 0, removedBytes: 0 } });
    expect(busy.trash?.totals).toMatchObject({
      files: 3,
      trashedFiles: 1,
      trashedBytes: GIB,
      restoredFiles: 1,
      emptiedFiles: 1,
      emptiedBytes: GIB,
    });
    expect(digestOf(busy)).toMatchObject({
      remaining: { files: 0, allocatedBytes: 0, reclaimableFiles: 0 },
      trash: { remaining: { files: 2, bytes: 2 * GIB } },
    });
    expect(summarize(busy, digestOf(busy))).toBe(
      '0 base files, 0 B; 1 moved to the trash, 1.0 GiB; 1 put back from the trash, 1.0 GiB; 1 removed from the trash, 1.0 GiB; 2 in the trash, 2.0 GiB',
    );
  });

  it('should count what another name keeps as gone from the trash, but not as freed', () => {
    const emptied = new Map([['a.1', { name: 'a', outcome: 'emptied', freedNothing: true } as const]]);
    const linked = buildReport(planWith(FILES), { outcomes: new Map(), trash: emptied, lockWaitSeconds: [] }, FACTS);
    expect(linked.trash?.totals).toMatchObject({ emptiedFiles: 1, emptiedBytes: 0, linkedBytes: GIB });
    const { remaining, emptiedByKind } = digestOf(linked).trash ?? {};
    expect([remaining, emptiedByKind?.get('original')]).toEqual([
      { files: 2, bytes: 2 * GIB },
      { files: 1, bytes: 0 },
    ]);
  });

  it('should show each file of it in the table, by verdict or by outcome', () => {
    const busy = busyReport();
    const reported = [...planTable(busy, { colour: false })].join('');
    expect(reported).toMatch(/^Trash: 3 files, 3\.0 GiB$/m);
    expect(reported).toMatch(/^a +original +1\.0 GiB +2d +emptied +GraceOver$/m);
    expect(reported).toMatch(/1 moved to the trash, 1\.0 GiB; 1 put back/);
    expect([...planTable(planOf(busy), { colour: false })].join('')).toMatch(/^b +original +1\.0 GiB +2d +restore +NeededAgain$/m);
  });

  it('should give back the plan without outcomes', () => {
    const { trash } = planOf(busyReport());
    expect([...(trash?.files ?? [])]).toEqual(FILES);
    expect(trash?.totals).toMatchObject({ trashedFiles: 0, emptiedFiles: 0, restoredFiles: 0 });
    expect(JSON.parse(JSON.stringify(busyReport().trash))).toMatchObject({
      files: [{ outcome: 'emptied' }, { outcome: 'restored' }, { outcome: 'kept' }],
    });
  });

  it('should fail the pass where a file that is needed could not be put back', () => {
    const failed = busyReport({ 'b.2': 'RestoreFailed' });
    expect(failed).toMatchObject({ result: 'Failed', message: expect.stringContaining('1 files that are needed again') });
  });

  it('should hold the pass where only the trash has something to remove', () => {
    const gate = { open: false, reasons: [{ reason: 'SourceStale' as const, message: 'pods' }] };
    const plan = { ...planOf(report()), gate, trash: planWith(FILES).trash };
    const held = buildReport(plan, undefined, FACTS);
    expect(held.result).toBe('Held');
    const input = { report: held, digest: digestOf(held), node: NODE, memory: NO_TROUBLES, reminderSeconds: 3600 };
    expect(planEvents(input).events.map(({ note }) => note)).toEqual([
      expect.stringContaining('and 1 file in the trash whose grace is over, may not be removed'),
    ]);
  });

  it('should tell of it in events', () => {
    const busy = busyReport();
    const { events } = planEvents({ report: busy, digest: digestOf(busy), node: NODE, memory: NO_TROUBLES, reminderSeconds: 3600 });
    expect(events.map(({ reason, note }) => [reason, note])).toEqual([
      [
        'BaseFilesRemoved',
        expect.stringMatching(
          /^Moved 1 unused base file, 1\.0 GiB, to the trash: .* Emptied 1 file, 1\.0 GiB, from the trash\. 0 base files/,
        ),
      ],
      ['BaseFilesRestored', 'Put 1 file back from the trash: b (original).'],
    ]);
  });

  it('should show in metrics what lies there, and count as removed only what is gone for good', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false, trash: true });
    const busy = busyReport();
    const before = (await metrics.scrape(undefined)).body;
    expect(before).toContain('basekeeper_trash_moved_files_total{action="emptied"} 0');
    expect(before).not.toMatch(/^basekeeper_trash_files /m);
    metrics.observe(busy, digestOf(busy));
    const { body } = await metrics.scrape(undefined);
    expect(body).toContain('basekeeper_trash_files 2\n');
    expect(body).toContain(`basekeeper_trash_bytes ${2 * GIB}\n`);
    for (const action of ['trashed', 'restored', 'emptied'])
      expect(body).toContain(`basekeeper_trash_moved_files_total{action="${action}"} 1\n`);
    expect(body).toContain('basekeeper_removed_files_total{kind="original"} 1\n');
  });
});
