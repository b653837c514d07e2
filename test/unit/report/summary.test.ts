import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/report/digest.ts';
import { summarize } from '../../../src/report/summary.ts';
import type { Report } from '../../../src/model/report.ts';
import { heldReport, plannedFile, removableFile, report, undecidedReport } from '../../helpers/reports.ts';

function summaryOf(of: Report): string {
  return summarize(of, digestOf(of));
}

describe('the summary', () => {
  it('should count files and their size', () => {
    expect(summaryOf(report())).toBe('1 base file, 1.0 GiB');
  });

  it('should name what could be removed', () => {
    const files = [plannedFile(), removableFile({ allocatedBytes: 1536 }), removableFile({ allocatedBytes: 512 })];
    expect(summaryOf(report({ files, result: 'DryRun' }))).toBe('3 base files, 1.0 GiB; 2 removable, 2.0 KiB');
  });

  it('should count what was removed, and no longer among the files that are there', () => {
    const files = [plannedFile(), removableFile({ outcome: 'removed', allocatedBytes: 2048 })];
    expect(summaryOf(report({ files }))).toBe('1 base file, 1.0 GiB; 1 removed, 2.0 KiB');
  });

  it('should say why removals are held', () => {
    expect(summaryOf(heldReport())).toBe('1 base file, 1.0 GiB; 1 removable, 1.0 GiB; held: SourceNotSynced');
  });

  it('should say only why, when a pass failed before it had a plan', () => {
    expect(summaryOf(undecidedReport('Failed', 'EACCES: _base'))).toBe('failed: EACCES: _base');
    expect(summaryOf(undecidedReport('Skipped', 'the mode is off'))).toBe('skipped: the mode is off');
  });

  it('should stay one readable line whatever a message holds', () => {
    const summary = summaryOf(undecidedReport('Failed', `a\nb\u001B[31m\u202Ec${'x'.repeat(1000)}`));
    expect(summary).toMatch(/^failed: a\\u\{a\}b\\u\{1b\}\[31m\\u\{202e\}cx+…$/u);
    expect(summary).toHaveLength(256);
  });
});
