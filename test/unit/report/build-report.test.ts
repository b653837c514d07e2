import { describe, expect, it } from 'vitest';
import type { FileOutcome } from '../../../src/model/ports.ts';
import type { Outcome } from '../../../src/model/reasons.ts';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { buildReport } from '../../../src/report/build-report.ts';
import { digestOf } from '../../../src/report/digest.ts';
import { planOf } from '../../../src/report/plan-of.ts';
import { DIGEST, snapshot, type SnapshotParts } from '../../helpers/snapshot.ts';

const facts = { dryRun: false, durationSeconds: 1, stageSeconds: {} };
const plan = (parts: SnapshotParts = {}) => buildPlan(snapshot(parts));
const execution = (outcome: Outcome, message?: string) => ({
  outcomes: new Map<string, FileOutcome>([[DIGEST, { name: DIGEST, outcome, message }]]),
  lockWaitSeconds: [],
});

describe('the result of a pass', () => {
  it.each([
    ['removed', 'Succeeded'],
    ['LockBusy', 'Succeeded'],
    ['InUseByQemu', 'Succeeded'],
    ['ChangedSincePlan', 'Succeeded'],
    ['AlreadyGone', 'Succeeded'],
    ['RemovalFailed', 'Failed'],
    ['Abandoned', 'Failed'],
  ] as const)('should be, for a file that ended as %s, %s', (outcome, result) => {
    expect(buildReport(plan(), execution(outcome), facts).result).toBe(result);
  });

  it('should say how many files a stopped pass left, and why', () => {
    const stopped = { ...facts, stopReason: 'the mode of this node became dry-run' };
    expect(buildReport(plan(), execution('Abandoned'), stopped).message).toBe(
      'the pass stopped with 1 files left to process, because the mode of this node became dry-run; the next pass will handle them',
    );
  });

  it('should be Held when something could be removed but for the gate, in a dry run as well', () => {
    expect(buildReport(plan({ workloads: [] }), undefined, facts).result).toBe('Held');
    expect(buildReport(plan({ workloads: [] }), undefined, { ...facts, dryRun: true }).result).toBe('Held');
  });

  it('should not be Held on a node that has nothing to hold', () => {
    expect(buildReport(plan({ workloads: [], files: [] }), undefined, facts).result).toBe('Succeeded');
  });

  it('should be Held when nobody knows whether there is something to remove', () => {
    const problems = [{ path: '_base', code: 'ENOTDIR', message: 'not a directory' }];
    expect(buildReport(plan({ files: [], scan: { problems } }), undefined, facts).result).toBe('Held');
  });
});

describe('a report', () => {
  it("should carry each file's outcome and count what was removed", () => {
    const report = buildReport(plan(), execution('removed'), facts);
    expect(report.files.at(0)).toMatchObject({ name: DIGEST, verdict: 'remove', outcome: 'removed' });
    expect(report.totals).toMatchObject({ removedFiles: 1, removedBytes: 1024 });
  });

  it('should not count as freed what another name of the file keeps', () => {
    const outcome = { name: DIGEST, outcome: 'removed', freedNothing: true } as const;
    const report = buildReport(plan(), { outcomes: new Map([[DIGEST, outcome]]), lockWaitSeconds: [] }, facts);
    expect(report.files.at(0)).toMatchObject({ outcome: 'removed', freedNothing: true });
    expect(report.totals).toMatchObject({ removedFiles: 1, removedBytes: 0 });
    const digest = digestOf(report);
    expect(digest.removedByKind).toEqual(new Map([['original', { files: 1, bytes: 0 }]]));
    expect(digest.remaining).toMatchObject({ files: 0, allocatedBytes: 0 });
    expect([...planOf(report).files]).toEqual([...plan().files]);
  });

  it('should not count a removal that did not happen', () => {
    const report = buildReport(plan(), execution('InUseByQemu', 'in use'), facts);
    expect(report.files.at(0)).toMatchObject({ outcome: 'InUseByQemu', outcomeMessage: 'in use' });
    expect(report.totals).toMatchObject({ reclaimableFiles: 1, removedFiles: 0, removedBytes: 0 });
  });
});
