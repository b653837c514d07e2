import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/report/digest.ts';
import { createMetrics } from '../../../src/report/metrics/metrics.ts';
import { annotationPatch } from '../../../src/report/node/annotations.ts';
import { parseWanted, wantedLine, wantedSummary, wantedText } from '../../../src/report/wanted.ts';
import { report, undecidedReport } from '../../helpers/reports.ts';

const KEY = 'basekeeper.io/wanted-images';
const image = (imageRef: string, present: boolean) => ({ imageRef, by: ['configuration'], present });
const some = report({ wanted: [image('a', true), image('b', false)] });

function patchOf(of: ReturnType<typeof report>, written?: Readonly<Record<string, string>>) {
  return annotationPatch({ report: of, digest: digestOf(of), written, heartbeatSeconds: 3600 });
}

describe('the annotation of wanted images', () => {
  it('should say how many are there, and which are missing', () => {
    expect(patchOf(some)?.[KEY]).toBe('{"present":1,"missing":["b"]}');
  });

  it('should be absent where nobody wants any, and say none where somebody did', () => {
    expect(patchOf(report())).not.toHaveProperty([KEY]);
    expect(patchOf(report(), patchOf(some))?.[KEY]).toBe('{"present":0,"missing":[]}');
  });

  it('should stay as it is when a pass decided nothing', () => {
    expect(patchOf(undecidedReport('Failed', 'EIO', '2026-11-23T14:00:01.000Z'), patchOf(some))).not.toHaveProperty([KEY]);
  });

  it('should stay small, and count what it leaves out', () => {
    const many = Array.from({ length: 30 }, (_, n) => image(`${n}-${'ß'.repeat(300)}\u001b`, false));
    const text = wantedText(wantedSummary(many));
    expect(Buffer.byteLength(text)).toBeLessThan(800);
    expect(parseWanted(text)).toMatchObject({ present: 0, more: 22 });
    expect(text).not.toContain('\u001b');
  });

  it.each(['', '{', '[]', '{"present":-1,"missing":[]}', '{"present":"1","missing":[]}', '{"present":1}'])(
    'should be refused when it is not ours: %s',
    (text) => {
      expect(parseWanted(text)).toBeUndefined();
    },
  );

  it('should be read without what makes no sense', () => {
    expect(parseWanted('{"present":2,"missing":["a",7,"\\u001bb"],"more":-5}')).toEqual({
      present: 2,
      missing: ['a', '\\u{1b}b'],
      more: 0,
    });
  });
});

describe('the line about wanted images', () => {
  it.each([
    [{ present: 3, missing: [], more: 0 }, '3 of 3 wanted images are here'],
    [{ present: 1, missing: ['b'], more: 2 }, '1 of 4 wanted images is here; missing: b and 2 more'],
  ])('should count and name: %j', (summary, line) => {
    expect(wantedLine(summary)).toBe(line);
  });
});

describe('the metric of wanted images', () => {
  it('should count those that are there and those that are missing, and be absent where nobody wants any', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    const series = async () =>
      (await metrics.scrape(undefined)).body.split('\n').filter((line) => line.startsWith('basekeeper_wanted_images{'));
    metrics.observe(some, digestOf(some));
    expect(await series()).toEqual(['basekeeper_wanted_images{state="present"} 1', 'basekeeper_wanted_images{state="missing"} 1']);
    metrics.observe(report(), digestOf(report()));
    expect(await series()).toEqual([]);
  });
});
