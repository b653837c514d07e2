import { describe, expect, it } from 'vitest';
import { isEntryName } from '../../../src/disk/entry-name.ts';
import { losesLockFile, minimumAgeSeconds, refusalOf } from '../../../src/execute/refusal.ts';
import { BASE_FILE_KINDS } from '../../../src/model/scan.ts';
import { executionPolicy, plannedFile } from '../../helpers/execute-plans.ts';

const IDENTITY = { device: '1', inode: '1', modifiedAtNs: '1' };
const OPEN = { open: true, reasons: [] };
const CLOSED = { open: false, reasons: [{ reason: 'SourceStale', message: 'pods' }] } as const;

describe('isEntryName', () => {
  it.each(['base', '...', '.part', '-rf', '__proto__', 'a\nb', 'ä', ' '])('should take %j for a name', (name) => {
    expect(isEntryName(name)).toBe(true);
  });

  it.each(['', '.', '..', '/', 'a/b', '/etc/passwd', '../base', 'base/', 'a\0b', '\0'])('should not take %j for a name', (name) => {
    expect(isEntryName(name)).toBe(false);
  });
});

describe('refusalOf', () => {
  it('should refuse nothing that a planner plans', () => {
    expect(refusalOf(plannedFile('base', 'remove', IDENTITY), OPEN)).toBeUndefined();
    expect(refusalOf(plannedFile('base', 'touch', IDENTITY), CLOSED)).toBeUndefined();
  });

  it('should refuse removals while the gate is closed', () => {
    expect(refusalOf(plannedFile('base', 'remove', IDENTITY), CLOSED)).toMatch(/gate/);
  });

  it.each(['touch', 'remove'] as const)('should refuse to %s what is not ours', (verdict) => {
    expect(refusalOf(plannedFile('base', verdict, IDENTITY, { kind: 'foreign' }), OPEN)).toMatch(/not ours/);
  });

  it.each(['touch', 'remove'] as const)('should refuse to %s what is not a name', (verdict) => {
    expect(refusalOf(plannedFile('../base', verdict, IDENTITY), OPEN)).toMatch(/not a file name/);
  });
});

describe('losesLockFile', () => {
  it('should be so for base files only, as in Nova', () => {
    const losing = BASE_FILE_KINDS.filter((kind) => losesLockFile(kind, { ...executionPolicy, removeLockFiles: true }));
    expect(losing).toEqual(['original', 'resized', 'legacy']);
  });

  it('should be so for no file by default', () => {
    expect(BASE_FILE_KINDS.filter((kind) => losesLockFile(kind, executionPolicy))).toEqual([]);
  });
});

describe('minimumAgeSeconds', () => {
  it("should be the plan's where the plan has one", () => {
    expect(minimumAgeSeconds(plannedFile('base', 'remove', IDENTITY, { minimumAgeSeconds: 7 }), executionPolicy)).toBe(7);
  });

  it("should be the policy's for the kind where the plan has none, and never over for what is not ours", () => {
    const ages = BASE_FILE_KINDS.map((kind) =>
      minimumAgeSeconds(plannedFile('base', 'remove', IDENTITY, { kind, minimumAgeSeconds: undefined }), executionPolicy),
    );
    expect(ages).toEqual([86_400, 3600, 3600, 86_400, 86_400, Number.POSITIVE_INFINITY]);
  });
});
