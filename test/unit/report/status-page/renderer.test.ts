import { afterEach, describe, expect, it, vi } from 'vitest';
import { mapRows } from '../../../../src/lib/rows.ts';
import { createStatusRenderer } from '../../../../src/report/status-page/renderer.ts';
import { plannedFile, report, trashedFile, trashPlan } from '../../../helpers/reports.ts';

const AGENT = { node: 'node-1', version: '1', mode: 'enforce', nowMs: 0, passRunning: false, nextPassMs: undefined } as const;

afterEach(() => void vi.restoreAllMocks());

/** How often the event loop turns while a page of rows is rendered, each of which takes `rowMs` to make. */
async function turnsOf(length: number, rowMs: number): Promise<number> {
  let nowMs = 0;
  let turns = 0;
  let isDone = false;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const slowly = <T>(row: T) => {
    nowMs += rowMs;
    return row;
  };
  const rows = Array.from({ length }, (_, index) => index);
  const files = mapRows(rows, () => slowly(plannedFile()));
  const trash = { ...trashPlan([]), files: mapRows(rows, (index) => slowly(trashedFile(`swap_${index}.1`))) };
  const tick = (): void => {
    turns++;
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  const page = await createStatusRenderer()({ query: '', agent: AGENT, report: { ...report(), files, trash }, hasReport: true });
  isDone = true;
  expect(page).toContain('node-1');
  return turns;
}

describe('the renderer of the status page', () => {
  it('should let the event loop turn by time, not by rows, in the files and in the trash', async () => {
    const quick = await turnsOf(5120, 0);
    const slow = await turnsOf(5120, 1);
    expect(slow - quick).toBeGreaterThanOrEqual(2 * 19);
  });
});
