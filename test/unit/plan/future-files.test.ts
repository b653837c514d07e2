import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../../src/plan/build-plan.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { DAY_MS, DIGEST, IMAGE, NOW_MS, baseFile, snapshot, workload, type SnapshotParts } from '../../helpers/snapshot.ts';

const findings = (parts: SnapshotParts) => buildPlan(snapshot(parts)).findings.filter(({ type }) => type === 'FileFromFuture');
const inDays = (days: number, name = DIGEST) => baseFile({ name, modifiedAtMs: NOW_MS + days * DAY_MS });

describe('an unused file that is dated in the future', () => {
  it('should be a finding that says what to do, and hold nothing', () => {
    const plan = buildPlan(snapshot({ files: [inDays(400)] }));
    expect(plan.findings).toEqual([{ type: 'FileFromFuture', file: DIGEST, message: expect.stringMatching(/dated 2027-12-28.*touch it/) }]);
    expect(plan.gate.open).toBe(true);
  });

  it('should be none where it is in use, foreign, or of this moment by another clock', () => {
    expect(findings({ files: [inDays(400)], workloads: [workload({ images: [{ role: 'image', ref: IMAGE }] })] })).toEqual([]);
    expect(findings({ files: [{ ...inDays(400), kind: 'foreign' }] })).toEqual([]);
    expect(findings({ files: [inDays(1 / 48)] })).toEqual([]);
  });

  it('should be listed ten times at most, and then counted', () => {
    const files = Array.from({ length: 14 }, (_, index) => inDays(400, cacheFileName(`${index}`)));
    expect(findings({ files })).toHaveLength(11);
    expect(findings({ files }).at(-1)?.message).toBe('4 more unused files are dated in the future');
  });
});
