import { afterEach, describe, expect, it, vi } from 'vitest';
import { createReporter } from '../../../src/report/publish.ts';
import type { ReportPart } from '../../../src/report/report-part.ts';
import { memoryLogger } from '../../helpers/memory-kube.ts';
import { plannedFile, removableFile, report, trashedFile, trashPlan } from '../../helpers/reports.ts';

function memoryPart(): ReportPart & { readonly seen: unknown[] } {
  const seen: unknown[] = [];
  return {
    seen,
    file: ({ name }) => void seen.push(name),
    publish: (_report, { remaining }, context) => Promise.resolve(void seen.push({ remaining: remaining.files, ...context })),
  };
}

describe('a reporter of several parts', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('should show every part the files, then the digest and the context', async () => {
    const parts = [memoryPart(), memoryPart()];
    const files = [plannedFile({ name: 'a' }), removableFile({ name: 'b', outcome: 'removed' })];
    await createReporter(parts, memoryLogger()).publish(report({ files }), { runNowDone: 'x' });
    for (const { seen } of parts) expect(seen).toEqual(['a', 'b', { remaining: 1, runNowDone: 'x' }]);
  });

  it.each<[string, ReportPart]>([
    ['rejects', { publish: () => Promise.reject(new Error('no')) }],
    [
      'throws at once',
      {
        publish: () => {
          throw new Error('no');
        },
      },
    ],
    [
      'throws at a file',
      {
        file: () => {
          throw new Error('no');
        },
        publish: () => Promise.resolve(),
      },
    ],
  ])('should let no part that %s stop another', async (_what, bad) => {
    const logger = memoryLogger();
    const good = memoryPart();
    await createReporter([bad, good], logger).publish(report({ files: [plannedFile(), plannedFile()] }));
    expect(good.seen).toHaveLength(3);
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { error: 'no' } }]);
  });

  it('should walk the trash as it walks the files: each row once for every part, in slices', async () => {
    const seenByGood: string[] = [];
    const good: ReportPart = { trashedFile: ({ entry }) => void seenByGood.push(entry), publish: () => Promise.resolve() };
    const files = Array.from({ length: 5120 }, (_, index) => trashedFile(`swap_${index}.1`));
    let turns = 0;
    let nowMs = 0;
    let seen = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const slow: ReportPart = {
      trashedFile: () => {
        seen++;
        nowMs += 1;
      },
      publish: () => Promise.resolve(),
    };
    const tick = (): void => {
      turns++;
      if (seen < files.length) setImmediate(tick);
    };
    setImmediate(tick);
    await createReporter([slow, good], memoryLogger()).publish({ ...report(), trash: trashPlan(files) });
    expect(seen).toBe(5120);
    expect(seenByGood).toEqual(files.map(({ entry }) => entry));
    expect(turns).toBeGreaterThanOrEqual(19);
  });

  it('should walk a report of many files in slices bounded by time, so that the event loop turns however slow a part is', async () => {
    let turns = 0;
    let nowMs = 0;
    let seen = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const slow: ReportPart = {
      file: () => {
        seen++;
        nowMs += 1;
      },
      publish: () => Promise.resolve(),
    };
    const files = Array.from({ length: 5120 }, () => plannedFile());
    const tick = (): void => {
      turns++;
      if (seen < files.length) setImmediate(tick);
    };
    setImmediate(tick);
    await createReporter([slow], memoryLogger()).publish(report({ files }));
    expect(seen).toBe(5120);
    expect(turns).toBeGreaterThanOrEqual(19);
  });
});
