import { describe, expect, it } from 'vitest';
import type { Report } from '../../../../src/model/report.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { createMetrics } from '../../../../src/report/metrics/metrics.ts';
import { noopCause } from '../../../../src/report/metrics/noop.ts';
import { heldReport, removableFile, report, trashedFile, trashPlan, undecidedReport } from '../../../helpers/reports.ts';

const due = { ...report().totals, reclaimableFiles: 1, reclaimableBytes: 5 };
const removed = report({ files: [removableFile({ outcome: 'removed' })], totals: { ...due, removedFiles: 1, removedBytes: 5 } });

const emptied = trashPlan([trashedFile('a')]);
const CASES: readonly (readonly [string, Report, string | undefined])[] = [
  ['has nothing to remove', report(), 'NothingRemovable'],
  ['is held', heldReport(), 'Held'],
  [
    'is a dry run with something to remove',
    report({ result: 'DryRun', files: [removableFile({ outcome: undefined })], totals: due }),
    'DryRun',
  ],
  ['is a dry run without', report({ result: 'DryRun' }), 'NothingRemovable'],
  ['fails at each removal', report({ files: [removableFile({ outcome: 'InUseByQemu' })], totals: due }), 'NotRemoved'],
  ['leaves what is due in the trash', report({ trash: emptied }), 'NotRemoved'],
  ['removes a file', removed, undefined],
  ['empties the trash', report({ trash: { ...emptied, totals: { ...emptied.totals, emptiedFiles: 1 } } }), undefined],
  ['fails', undecidedReport('Failed', 'EIO', '2026-11-23T14:00:00.000Z'), undefined],
];

describe('the cause of a pass that removes nothing', () => {
  it.each(CASES)('should be named where it %s', (_, of, cause) => {
    expect(noopCause(of, digestOf(of))).toBe(cause);
  });

  it('should be counted, from 0', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    metrics.observe(heldReport(), digestOf(heldReport()));
    const { body } = await metrics.scrape(undefined);
    expect(body).toContain('basekeeper_noop_passes_total{cause="Held"} 1');
    expect(body).toContain('basekeeper_noop_passes_total{cause="NotRemoved"} 0');
  });
});

describe('the bytes to free', () => {
  it('should be what the pass had to free under pressure, and 0 without', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    const pressure = {
      highThresholdPercent: 85,
      lowThresholdPercent: 80,
      usedPercent: 90,
      bytesToFree: 4096,
      plannedBytes: 1,
      projectedUsedPercent: 90,
    };
    const line = async () =>
      (await metrics.scrape(undefined)).body.split('\n').find((text) => text.startsWith('basekeeper_reclaim_target_bytes'));
    expect(await line()).toBeUndefined();
    metrics.observe(report({ pressure }), digestOf(report({ pressure })));
    expect(await line()).toBe('basekeeper_reclaim_target_bytes 4096');
    metrics.observe(report(), digestOf(report()));
    expect(await line()).toBe('basekeeper_reclaim_target_bytes 0');
  });
});
