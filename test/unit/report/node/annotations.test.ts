import { assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runNowAnswer } from '../../../../src/agent/run-now.ts';
import { BASE_FILE_KINDS } from '../../../../src/model/scan.ts';
import { FILE_STATES, GATE_REASONS, type GateReason } from '../../../../src/model/reasons.ts';
import type { Report } from '../../../../src/model/report.ts';
import { ANNOTATIONS_MAX_BYTES, annotationBytes, annotationPatch, ownAnnotations } from '../../../../src/report/node/annotations.ts';
import { parseCacheSummary } from '../../../../src/report/node/cache-summary.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { parseImageList } from '../../../../src/report/image-list.ts';
import { heldReport, later, plannedFile, report, TAKEN_AT, undecidedReport } from '../../../helpers/reports.ts';

type Written = Readonly<Record<string, string>> | undefined;

function patchOf(of: Report, written?: Written, runNowDone?: string) {
  return annotationPatch({ report: of, digest: digestOf(of), written, heartbeatSeconds: 3600, runNowDone });
}

describe('the node annotations', () => {
  it('should tell time, result, summary and the state of the cache', () => {
    expect(patchOf(report())).toEqual({
      'basekeeper.io/last-pass': TAKEN_AT,
      'basekeeper.io/result': 'Succeeded',
      'basekeeper.io/summary': '1 base file, 1.0 GiB',
      'basekeeper.io/cache':
        '{"total":[1,1073741824],"reclaimable":[0,0],"removed":[0,0],"held":[],"kinds":{"original":{"used":[1,1073741824]}}}',
      'basekeeper.io/images': '{"used":"0d5e6b61"}',
    });
  });

  it('should keep the last pass that removed something when a later one removes nothing', () => {
    const removing = report({ totals: { ...report().totals, removedFiles: 3, removedBytes: 3 * 2 ** 30 } });
    const first = patchOf(removing);
    expect(first).toMatchObject({ 'basekeeper.io/last-removal': `${TAKEN_AT}: 3 base files removed, 3.0 GiB` });
    // A merge patch leaves what it does not name.
    const second = patchOf(report({ takenAt: later(60) }), first);
    expect(second).toMatchObject({ 'basekeeper.io/last-pass': later(60) });
    expect(second).not.toHaveProperty(['basekeeper.io/last-removal']);
  });

  it('should not be written again when only time has passed', () => {
    const aged = report({ takenAt: later(2400), files: [plannedFile({ ageSeconds: 9_000_000 })] });
    expect(patchOf(aged, patchOf(report()))).toBeUndefined();
  });

  it('should be written again when the heartbeat is due', () => {
    const written = patchOf(report());
    expect(patchOf(report({ takenAt: later(3599) }), written)).toBeUndefined();
    expect(patchOf(report({ takenAt: later(3600) }), written)).toMatchObject({ 'basekeeper.io/last-pass': later(3600) });
  });

  it.each(['', 'yesterday', later(60)])('should be written when the last pass on the node is %j, which cannot be ours', (lastPass) => {
    expect(patchOf(report(), { ...patchOf(report()), 'basekeeper.io/last-pass': lastPass })).toBeDefined();
  });

  it('should be written when the content changed', () => {
    expect(patchOf(heldReport(), patchOf(report()))).toMatchObject({ 'basekeeper.io/result': 'Held' });
  });

  it('should be written when somebody changed one of them', () => {
    expect(patchOf(report(), { ...patchOf(report()), 'basekeeper.io/summary': 'all is well' })).toBeDefined();
  });

  it('should leave the state of the cache alone when a pass decided nothing', () => {
    const patch = patchOf(undecidedReport('Failed', 'EIO', later(1)), patchOf(report()));
    expect(patch).toEqual({
      'basekeeper.io/last-pass': later(1),
      'basekeeper.io/result': 'Failed',
      'basekeeper.io/summary': 'failed: EIO',
    });
  });

  it('should answer run-now with its value, and only once', () => {
    const answered = patchOf(report(), patchOf(report()), 'now-7');
    expect(answered).toMatchObject({ 'basekeeper.io/run-now-done': 'now-7' });
    expect(patchOf(report(), answered, 'now-7')).toBeUndefined();
    expect(patchOf(report(), answered)).toBeUndefined();
  });

  it('should take only our own out of all annotations, whatever their names', () => {
    const annotations = JSON.parse('{"__proto__":"x","a":"b","basekeeper.io/mode":"off","basekeeper.io/result":"Held"}') as Record<
      string,
      string
    >;
    expect(ownAnnotations(annotations)).toEqual({ 'basekeeper.io/result': 'Held' });
  });

  it('should stay within their size, with details left out before anything else', () => {
    const states = BASE_FILE_KINDS.flatMap((kind) => FILE_STATES.map((state) => ({ kind, state, files: 1e9, allocatedBytes: 2 ** 52 })));
    const reasons = (Object.keys(GATE_REASONS) as GateReason[]).map((reason) => ({ reason, message: 'x' }));
    const patch = patchOf(report({ states, result: 'Held', gate: { open: false, reasons } }), undefined, 'x'.repeat(256)) ?? {};
    expect(annotationBytes(patch)).toBeLessThanOrEqual(ANNOTATIONS_MAX_BYTES);
    expect(parseCacheSummary(patch['basekeeper.io/cache'] ?? '')).toMatchObject({
      total: [1, 2 ** 30],
      held: reasons.map(({ reason }) => reason),
    });
    expect(patch['basekeeper.io/summary']).toContain('held: SourceNotSynced');
  });

  it('should have images that fill the room which the others leave, and no more', () => {
    const files = Array.from({ length: 500 }, (_, n) => plannedFile({ name: String(n).padStart(8, '0').padEnd(40, '0') }));
    const patch = patchOf(report({ files }), { 'basekeeper.io/run-now-done': 'x'.repeat(256) }) ?? {};
    const bytes = annotationBytes({ ...patch, 'basekeeper.io/run-now-done': 'x'.repeat(256) });
    expect(bytes).toBeGreaterThan(ANNOTATIONS_MAX_BYTES - 200);
    expect(bytes).toBeLessThanOrEqual(ANNOTATIONS_MAX_BYTES);
    const images = parseImageList(patch['basekeeper.io/images']);
    expect((images?.states.size ?? 0) + (images?.more ?? 0)).toBe(500);
  });

  it('should stay within their size whatever messages and values hold', () => {
    const text = string({
      unit: constantFrom('a', 'ß', '\u001B', '\u202E', '💾', '\uD83D', '"'),
      minLength: 200,
      maxLength: 300,
      size: 'max',
    });
    assert(
      property(text, text, (message, runNow) => {
        const patch = patchOf(report({ result: 'Failed', message }), undefined, runNowAnswer(runNow)) ?? {};
        expect(annotationBytes(patch)).toBeLessThanOrEqual(ANNOTATIONS_MAX_BYTES);
      }),
    );
  });
});

describe('the cache annotation', () => {
  it.each([
    [{ dryRun: true }, 'dry-run'],
    [{ dryRun: false }, 'enforce'],
    [{}, undefined],
  ])('should say what a held agent does: of %j, %s', (facts, mode) => {
    expect(parseCacheSummary(patchOf(heldReport(facts))?.['basekeeper.io/cache'] ?? '')?.mode).toBe(mode);
  });

  it('should leave the mode to the result where that tells it', () => {
    expect(patchOf(report({ dryRun: false }))?.['basekeeper.io/cache']).not.toContain('mode');
  });

  it('should be readable again', () => {
    const text = patchOf(heldReport())?.['basekeeper.io/cache'] ?? '';
    expect(parseCacheSummary(text)).toEqual({
      total: [1, 2 ** 30],
      reclaimable: [1, 2 ** 30],
      removed: [0, 0],
      held: ['SourceNotSynced'],
      kinds: { original: { held: [1, 2 ** 30] } },
    });
  });

  it.each([
    '',
    'null',
    '[]',
    '{',
    '{"total":[1]}',
    '{"total":[1,2,3],"reclaimable":[1,2],"removed":[1,2],"held":[]}',
    '{"total":[1,2],"reclaimable":[1,2],"removed":[1,"2"],"held":[]}',
  ])('should be refused when it is not ours: %s', (text) => {
    expect(parseCacheSummary(text)).toBeUndefined();
  });

  it('should be read without what it does not know', () => {
    const text =
      '{"total":[1,2],"reclaimable":[1,2],"removed":[0,0],"held":["toString","SourceStale"],"kinds":{"__proto__":{},"original":{"used":[1,2],"odd":[3,4]}}}';
    expect(parseCacheSummary(text)).toMatchObject({ held: ['SourceStale'], kinds: { original: { used: [1, 2] } } });
  });
});
