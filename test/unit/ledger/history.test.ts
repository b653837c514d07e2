import { describe, expect, it } from 'vitest';
import { readHistory } from '../../../src/ledger/history/history.ts';
import { errnoError } from '../../../src/lib/errors.ts';
import type { HistoryEntry, HistoryQuery } from '../../../src/model/ledger/history.ts';
import { EVIDENCE, intent, PASS } from '../../helpers/ledgers.ts';
import { linesOf, memoryLedgerFiles } from '../../helpers/memory-ledger-files.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const AGAIN = { ...PASS, asked: { by: 'run-now', value: 'today' } };
const LINES = linesOf([
  PASS,
  { ...EVIDENCE, pass: 1 },
  intent(1, 2, { name: A, imageSha1: A }),
  intent(1, 2, { name: `${B}_20`, kind: 'resized', imageSha1: B }),
  { type: 'outcome', pass: 1, outcome: 'removed', intents: [[3, 3]] },
  { type: 'outcome', pass: 1, outcome: 'RemovalFailed', intents: [[4, 4]], message: 'EIO: i/o error' },
  { type: 'end', pass: 1, outcomes: { removed: 1, RemovalFailed: 1 } },
  AGAIN,
  { ...EVIDENCE, pass: 8 },
  intent(8, 9, { name: 'swap_1', kind: 'swap', action: 'empty', entry: 'swap_1.176', imageSha1: undefined }),
  intent(8, 9, { name: B, imageSha1: B }),
  { type: 'outcome', pass: 8, outcome: 'PutBack', intents: [[11, 11]] },
  { ...EVIDENCE, pass: 8 },
  intent(8, 13, { name: B, imageSha1: B }),
]);

function read(query: Partial<HistoryQuery> = {}, lines: readonly string[] = LINES): { entries: HistoryEntry[]; unreadable: number } {
  const middle = Math.floor(lines.length / 2);
  const texts = [lines.slice(0, middle), lines.slice(middle)].map((some) => some.map((line) => `${line}\n`).join(''));
  const reading = readHistory(memoryLedgerFiles(texts), { limit: 1000, ...query });
  const entries: HistoryEntry[] = [];
  let next = reading.next();
  for (; next.done !== true; next = reading.next()) if (next.value !== undefined) entries.push(next.value);
  return { entries, ...next.value };
}

const said = (query: Partial<HistoryQuery> = {}, lines?: readonly string[]) =>
  read(query, lines).entries.map(({ item }) => `${item.seq} ${item.entry ?? item.name} ${item.outcome}`);
const ALL = [`3 ${A} removed`, `4 ${B}_20 RemovalFailed`, '10 swap_1.176 undefined', `14 ${B} undefined`];

describe('a history', () => {
  it.each([0, 4, 1000])(
    'should have each file that a pass meant to remove with its outcome, oldest first, and none that was put back (limit %i)',
    (limit) => {
      expect(said({ limit })).toEqual(ALL);
    },
  );

  it('should have the newest where there is a limit', () => {
    expect(said({ limit: 1 })).toEqual(ALL.slice(-1));
    expect(said({ limit: 3 })).toEqual(ALL.slice(-3));
  });

  it('should say what is known of a file, who asked for it, and on what evidence it went', () => {
    const [entry, failed, emptied] = read().entries;
    expect(entry).toMatchObject({
      item: {
        name: A,
        reason: 'Unused',
        inode: '131',
        modifiedAt: '2025-11-01T00:00:00.000Z',
        askedBy: 'schedule',
        pass: 1,
        evidence: 2,
      },
      pass: { seq: 1, node: 'node-1' },
      evidence: { seq: 2, sources: [{ name: 'pods', resourceVersion: '4711' }] },
    });
    expect(failed?.item.message).toBe('EIO: i/o error');
    expect(emptied?.item).toMatchObject({ action: 'empty', askedBy: 'run-now today' });
    expect(JSON.stringify(entry)).not.toContain('"prev"');
  });

  it.each<[string, Partial<HistoryQuery>, readonly number[]]>([
    ['a file', { file: A }, [3]],
    ['a file that has the same image', { file: `${B}_20` }, [4]],
    ['a name in the trash', { file: 'swap_1.176' }, [10]],
    ['an image', { imageSha1: B }, [4, 14]],
    ['a file and another image', { file: A, imageSha1: B }, []],
    ['a time', { sinceMs: Date.parse('2026-11-01T00:00:03Z'), untilMs: Date.parse('2026-11-01T00:00:09Z') }, [4, 10]],
    ['a limit beside them', { imageSha1: B, limit: 1 }, [14]],
    ['something that is only in another field', { file: 'original' }, []],
  ])('should be limited to %s', (_, query, expected) => {
    expect(read(query).entries.map(({ item }) => item.seq)).toEqual(expected);
  });

  it('should say what was found out after a kill', () => {
    const lines = linesOf([
      PASS,
      { ...EVIDENCE, pass: 1 },
      intent(1, 2, { name: 'a' }),
      intent(1, 2, { name: 'b' }),
      { type: 'recovered', pass: 1, gone: [[3, 3]], there: [[4, 4]] },
    ]);
    const { entries } = read({ limit: 0 }, lines);
    expect(entries.map(({ item }) => item.outcome)).toEqual(['Interrupted', 'Interrupted']);
    expect(entries.map(({ item }) => item.message)).toEqual([expect.stringContaining('was gone'), expect.stringContaining('still there')]);
  });

  it('should count what is not a record, and go on', () => {
    const { entries, unreadable } = read({}, LINES.toSpliced(4, 0, 'x', '{"seq":1}', '', '{"type":"later"}'));
    expect({ unreadable, entries: entries.length }).toEqual({ unreadable: 3, entries: 4 });
  });

  it.each([1, 50, 150, 300])('should not call a last line unreadable that is being written, after %i bytes', (length) => {
    const [whole, last] = [LINES.slice(0, -1), (LINES.at(-1) ?? '').slice(0, length)];
    for (const limit of [0, 10]) {
      expect(read({ limit }, [...whole, last, ''])).toMatchObject({ unreadable: 0, entries: { length: 3 } });
      expect(read({ limit }, [...whole, last, LINES.at(-1) ?? ''])).toMatchObject({ unreadable: 1, entries: { length: 4 } });
    }
  });

  it('should say when a file went whose record is late', () => {
    const intendedAt = '2026-11-01T00:00:00.500Z';
    const lines = linesOf([PASS, { ...EVIDENCE, pass: 1 }, intent(1, 2, { intendedAt })]);
    expect(read({}, lines).entries[0]?.item).toMatchObject({ intendedAt, at: '2026-11-01T00:00:02.000Z' });
  });

  it('should leave out a segment that was dropped meanwhile, and fail for one that cannot be read', () => {
    const entriesOf = (text: Error) => [...readHistory(memoryLedgerFiles([text, `${LINES.join('\n')}\n`]), { limit: 10 })].filter(Boolean);
    expect(entriesOf(errnoError('ENOENT', 'gone'))).toHaveLength(4);
    expect(() => entriesOf(errnoError('EIO', 'i/o error'))).toThrow('i/o error');
  });
});
