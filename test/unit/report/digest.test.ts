import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/report/digest.ts';
import { heldReport, plannedFile, removableFile, report, undecidedReport } from '../../helpers/reports.ts';

describe('the digest of a report', () => {
  it('should take what is gone out of totals and states', () => {
    const files = [
      plannedFile({ allocatedBytes: 1 }),
      removableFile({ allocatedBytes: 10, outcome: 'removed' }),
      removableFile({ allocatedBytes: 100, outcome: 'AlreadyGone' }),
      removableFile({ allocatedBytes: 1000, outcome: 'InUseByQemu' }),
    ];
    const { remaining, remainingStates, removedByKind } = digestOf(report({ files }));
    expect(remaining).toMatchObject({ files: 2, allocatedBytes: 1001, reclaimableFiles: 1, reclaimableBytes: 1000 });
    expect(remainingStates).toEqual([
      { kind: 'original', state: 'used', files: 1, allocatedBytes: 1 },
      { kind: 'original', state: 'unused', files: 1, allocatedBytes: 1000 },
    ]);
    expect([...removedByKind]).toEqual([['original', { files: 1, bytes: 10 }]]);
  });

  it('should drop states of which nothing is left', () => {
    expect(digestOf(report({ files: [removableFile({ outcome: 'removed' })] })).remainingStates).toEqual([]);
  });

  it('should take nothing out for a file in use that a touch found missing', () => {
    const { remaining } = digestOf(report({ files: [plannedFile({ verdict: 'touch', outcome: 'AlreadyGone' })] }));
    expect(remaining.files).toBe(1);
  });

  it('should count what is kept by reason', () => {
    const files = [plannedFile(), plannedFile(), plannedFile({ reason: 'PinnedByConfig' }), removableFile()];
    expect([...digestOf(report({ files })).keptByReason]).toEqual([
      ['ReferencedByWorkload', 2],
      ['PinnedByConfig', 1],
    ]);
  });

  it('should keep some examples of what was removed, however much it was', () => {
    const files = Array.from({ length: 1000 }, () => removableFile({ outcome: 'removed' }));
    expect(digestOf(report({ files })).removedExamples).toHaveLength(20);
  });

  it('should know a pass that decided nothing', () => {
    expect(digestOf(undecidedReport('Failed', 'EIO')).decided).toBe(false);
    expect(digestOf(report({ files: [] })).decided).toBe(true);
    expect(digestOf(heldReport({ result: 'Failed' })).decided).toBe(true);
  });
});
