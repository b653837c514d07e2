import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../../src/model/plan.ts';
import type { Report } from '../../../../../src/model/report.ts';
import { mapRows } from '../../../../../src/lib/rows.ts';
import { planJson } from '../../../../../src/report/terminal/plan/json.ts';
import { planOf } from '../../../../../src/report/plan-of.ts';
import { PLANS_AND_REPORTS, plannedFile, removableFile, report, trashedFile, trashPlan } from '../../../../helpers/reports.ts';

function text(plan: Plan | Report): string {
  return [...planJson(plan)].join('');
}

describe('planJson', () => {
  it.each<readonly [string, Plan | Report]>([
    ...PLANS_AND_REPORTS,
    ['hostile names', report({ files: [plannedFile({ name: '"\\\n\u2028\uD800__proto__' })] })],
  ])('should be the same document as JSON.stringify: %s', (_what, plan) => {
    expect(JSON.parse(text(plan))).toEqual(JSON.parse(JSON.stringify(plan)));
  });

  it('should give each file a line of its own', () => {
    const files = [plannedFile(), plannedFile({ name: 'swap_1' })];
    expect(text(report({ files })).match(/^ {4}\{"name":.*\},?$/gm)).toHaveLength(2);
  });

  it('should give each file in the trash a line of its own, and hold no more of 100,000 of them than a piece', () => {
    let made = 0;
    const rows = mapRows(
      Array.from({ length: 100_000 }, (_, index) => index),
      (index) => {
        made += 1;
        return trashedFile(`swap_${index}.1`);
      },
    );
    const longest = { characters: 0, rows: 0 };
    let madeBefore = 0;
    let document = '';
    for (const piece of planJson({ ...report(), trash: { ...trashPlan([]), files: rows } })) {
      longest.characters = Math.max(longest.characters, piece.length);
      longest.rows = Math.max(longest.rows, made - madeBefore);
      madeBefore = made;
      document += piece;
    }
    expect(made).toBe(100_000);
    expect(longest.rows).toBeLessThan(1000);
    expect(longest.characters).toBeLessThan(100_000);
    expect(document.match(/^ {6}\{"entry":.*\},?$/gm)).toHaveLength(100_000);
    expect(JSON.parse(document)).toMatchObject({ trash: { enabled: true, totals: { files: 0 }, files: { length: 100_000 } } });
  });

  it('should leave out what is undefined', () => {
    expect(text({ ...report(), message: undefined })).not.toContain('message');
  });

  it('should read rows that are not an array, one after the other, and come in pieces', () => {
    const file = plannedFile();
    const files = {
      length: 5000,
      at: () => undefined,
      *[Symbol.iterator]() {
        for (let index = 0; index < 5000; index++) yield file;
      },
    };
    const pieces = [...planJson({ ...report(), files })];
    expect(pieces.length).toBeGreaterThan(10);
    expect(JSON.parse(pieces.join(''))).toMatchObject({ files: { length: 5000 } });
  });
});

describe('planOf', () => {
  it('should take away the result and every outcome', () => {
    const plan = planOf(
      report({ files: [removableFile({ outcome: 'RemovalFailed', outcomeMessage: 'EBUSY' })], result: 'Failed', message: 'x' }),
    );
    expect(plan.kind).toBe('Plan');
    expect(text(plan)).not.toMatch(/outcome|result|durationSeconds|stageSeconds|lockWaitSeconds|"message"/);
    expect(plan.files.at(0)).not.toHaveProperty('outcome');
    expect(plan.files.at(1)).toBeUndefined();
    expect(JSON.parse(JSON.stringify(plan))).toEqual(JSON.parse(text(plan)));
  });
});
