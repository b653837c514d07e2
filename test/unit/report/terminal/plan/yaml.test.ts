import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Plan } from '../../../../../src/model/plan.ts';
import type { Report } from '../../../../../src/model/report.ts';
import { planYaml } from '../../../../../src/report/terminal/plan/yaml.ts';
import { missingBackingFile, plannedFile, PLANS_AND_REPORTS, report } from '../../../../helpers/reports.ts';

const HOSTILE = '"\\\n\u001B[2J\u2028: - x #\n  y\n';

describe('planYaml', () => {
  it.each<readonly [string, Plan | Report]>([
    ...PLANS_AND_REPORTS,
    [
      'hostile names and messages',
      report({ files: [plannedFile({ name: HOSTILE })], findings: [missingBackingFile({ message: HOSTILE })] }),
    ],
    ['a name that turns the direction of reading', report({ files: [plannedFile({ name: 'a\u202Eb' })] })],
    ['words that YAML 1.1 takes for something else', report({ files: [plannedFile({ name: 'yes' }), plannedFile({ name: '0755' })] })],
  ])('should be the same document as the JSON: %s', (_what, plan) => {
    const text = [...planYaml(plan)].join('');
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(plan)));
    expect(parse(text, { version: '1.1' })).toEqual(JSON.parse(JSON.stringify(plan)));
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u2028|\u202E/u);
  });

  it('should hold no more of many files than a piece', () => {
    const files = Array.from({ length: 2000 }, (_, index) => plannedFile({ name: `swap_${index}` }));
    const pieces = [...planYaml(report({ files }))];
    expect(pieces.length).toBeGreaterThan(5);
    expect((parse(pieces.join('')) as { files: object[] }).files).toHaveLength(2000);
  });
});
