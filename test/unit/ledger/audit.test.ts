import { describe, expect, it } from 'vitest';
import { auditLedger } from '../../../src/ledger/audit/audit.ts';
import { runNow } from '../../../src/lib/slices.ts';
import { errnoError } from '../../../src/lib/errors.ts';
import { hashLine } from '../../../src/ledger/line.ts';
import type { LedgerHead } from '../../../src/model/ledger/records.ts';
import type { LedgerAudit, NotedEnd } from '../../../src/model/ledger/audit.ts';
import { EVIDENCE, intent, PASS } from '../../helpers/ledgers.ts';
import { headOf, linesOf, memoryLedgerFiles } from '../../helpers/memory-ledger-files.ts';

const ENTRIES: readonly object[] = [
  PASS,
  { ...EVIDENCE, pass: 1 },
  intent(1, 2, { name: 'a' }),
  intent(1, 2, { name: 'b' }),
  { type: 'outcome', pass: 1, outcome: 'removed', intents: [[3, 4]] },
  { type: 'end', pass: 1, outcomes: { removed: 2, kept: 7 } },
];
const LINES = linesOf(ENTRIES);

function audit(lines: readonly string[], over: { readonly head?: string; readonly marks?: readonly NotedEnd[] } = {}): LedgerAudit {
  const files = memoryLedgerFiles([lines.map((line) => `${line}\n`).join('')], over.head ?? headOf(LINES, 1));
  return runNow(auditLedger(files, { marks: over.marks, owners: [0] }));
}

/** Kind, line and the beginning of the message of each problem. */
const problems = ({ problems: found }: LedgerAudit) =>
  found.map(({ kind, line, message }) => `${kind} ${line}: ${message.split(/; |: [a-z]/)[0]}`);
const without = (...indexes: number[]) => LINES.filter((_, index) => !indexes.includes(index));
const swapped = (left: number, right: number) =>
  LINES.map((line, index) => LINES[index === left ? right : index === right ? left : index] ?? line);

describe('a ledger that is whole', () => {
  it('should have no problem, and be counted', () => {
    expect(audit(LINES)).toMatchObject({
      problems: [],
      notes: [],
      records: 6,
      segments: 1,
      passes: 1,
      intents: 2,
      outcomes: { removed: 2 },
      first: { seq: 1 },
      last: { seq: 6 },
    });
  });

  it('should have blank lines behind its last record, and at the end of a segment whose rotation was interrupted', () => {
    const [first, second] = [LINES.slice(0, 3), LINES.slice(3)].map((lines) => `${lines.join('\n')}\n\n\n\n`);
    const files = memoryLedgerFiles([first ?? '', second ?? ''], headOf(LINES, 2));
    expect(runNow(auditLedger(files)).problems).toEqual([]);
  });

  it('should begin where head.json says, after older segments were dropped', () => {
    const head = JSON.parse(headOf(LINES, 1)) as { first: { seq: number; prev: string } };
    head.first = { seq: 3, prev: /"prev":"(\w+)"/.exec(LINES[2] ?? '')?.[1] ?? '' };
    expect(audit(LINES.slice(2), { head: `${JSON.stringify(head)}\n` }).problems).toEqual([]);
  });

  it('should say what is younger than head.json, and what has no outcome yet', () => {
    const lines = linesOf([...ENTRIES, PASS, { ...EVIDENCE, pass: 7 }, intent(7, 8)]);
    const { problems: found, notes } = audit(lines);
    expect(found).toEqual([]);
    expect(notes[0]).toMatch(/^3 records are younger than head\.json: a pass is at work, or was killed/);
    expect(notes[1]).toMatch(/^pass 7 has not ended, and 1 intent of it has no outcome/);
  });
});

describe('the end of a pass', () => {
  it('should not miss what came back, and is recorded when it loses its name in the trash', () => {
    const lines = linesOf([...ENTRIES.slice(0, 5), { type: 'end', pass: 1, outcomes: { removed: 2, restored: 1 } }]);
    expect(audit(lines, { head: headOf(lines, 1) }).problems).toEqual([]);
  });
});

describe('a last line that is not whole', () => {
  const began = linesOf([...ENTRIES, PASS, { ...EVIDENCE, pass: 7 }, intent(7, 8)]);
  const NOTE = /^line 9 of ledger-000001.jsonl, the last one, is not whole: a record is being written, or was when a process was killed/;
  const textOf = (lines: readonly string[], last: string) => `${[...lines, last].join('\n')}\n\n\n`;
  const auditOf = (...texts: string[]) => runNow(auditLedger(memoryLedgerFiles(texts, headOf(LINES, texts.length))));
  const [before, last] = [began.slice(0, 8), began[8] ?? ''];

  it.each([1, 7, 9, 40, 86, 150, last.length - 1])('should be no damage, after %i bytes', (length) => {
    const { problems: found, notes, last: end } = auditOf(textOf(before, last.slice(0, length)));
    expect(found).toEqual([]);
    expect(notes).toContainEqual(expect.stringMatching(NOTE));
    expect(end?.seq).toBe(8);
  });

  it('should be no damage at an inner bracket, or where the file ends with it', () => {
    const evidence = linesOf([...ENTRIES, PASS, { ...EVIDENCE, pass: 7 }])[7] ?? '';
    const inner = auditOf(textOf(before.slice(0, 7), evidence.slice(0, evidence.indexOf('}') + 1)));
    expect(inner).toMatchObject({ problems: [], last: { seq: 7 } });
    const unended = auditOf(`${before.join('\n')}\n${last.slice(0, 90)}`);
    expect(unended).toMatchObject({ problems: [], last: { seq: 8 } });
  });

  it('should be damage where another follows it, or head.json names it', () => {
    const [cut, next] = [(LINES[4] ?? '').slice(0, 150), LINES[5] ?? ''];
    const kindsOf = ({ problems: found }: LedgerAudit) => found.map(({ kind, line }) => `${kind} ${line}`);
    expect(kindsOf(auditOf(textOf(LINES.slice(0, 4), `${cut}\n${next}`)))).toContain('NotARecord 5');
    expect(kindsOf(auditOf(textOf(LINES.slice(0, 4), cut), `${next}\n`))).toContain('NotARecord 5');
    expect(kindsOf(auditOf(textOf(LINES.slice(0, 5), next.slice(0, 90))))).toContain('EndMissing 5');
  });
});

describe('a ledger that is new', () => {
  it('should have a head.json that names no record yet', () => {
    const files = memoryLedgerFiles(['\n\n'], headOf([], 1));
    expect(runNow(auditLedger(files)).problems).toEqual([]);
  });

  it.each([
    ['with no file', []],
    ['with a file', ['\n\n']],
  ])('should not pass for whole without its head.json, %s', (_, texts) => {
    expect(runNow(auditLedger(memoryLedgerFiles(texts))).problems.map(({ kind }) => kind)).toEqual(['HeadUnreadable']);
  });

  it('should not miss a file that retention was about to drop', () => {
    const head = JSON.parse(headOf(LINES, 2)) as LedgerHead;
    const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
    const first = { seq: 4, prev: hashLine(LINES[2] ?? '') };
    const files = memoryLedgerFiles(
      [text(LINES.slice(0, 3)), text(LINES.slice(3))],
      `${JSON.stringify({ ...head, first, segments: ['ledger-000002.jsonl'] })}\n`,
    );
    expect(runNow(auditLedger(files)).problems.map(({ kind }) => kind)).not.toContain('SegmentMissing');
    expect(runNow(auditLedger(files)).problems.map(({ kind }) => kind)).not.toContain('BeginningMissing');
  });
});

describe('a record', () => {
  it.each<[string, string[], string[]]>([
    ['changed', LINES.with(2, (LINES[2] ?? '').replace('"a"', '"x"')), ['RecordChanged 3: record 3 is not the one that record 4 names']],
    ['missing', without(2), ['RecordsMissing 3: record 3 is missing before record 4']],
    ['missing with others', without(2, 3), ['RecordsMissing 3: records 3 to 4 are missing before record 5']],
    ['missing at the beginning', without(0), ['BeginningMissing 1: the ledger begins with record 2, and should begin with record 1']],
    ['missing at the end', without(4, 5), ['EndMissing 4: the ledger ends with record 4, and head.json names record 6']],
    [
      'said to be another one',
      [...LINES, `{"seq":9,"prev":"${hashLine(LINES[5] ?? '')}","at":"2026-11-01T00:00:07.000Z","type":"recovered"}`],
      ['RecordsMissing 7: records 7 to 8 are missing before record 9'],
    ],
    ['there twice', LINES.toSpliced(3, 0, LINES[2] ?? ''), ['OutOfOrder 4: record 3 follows record 3']],
    ['moved', swapped(1, 2), ['RecordsMissing 2: record 2 is missing before record 3', 'OutOfOrder 3: record 2 follows record 3']],
    [
      'blanked',
      LINES.with(2, ''),
      ['BlankLines 4: 1 blank line stands before a record', 'RecordsMissing 4: record 3 is missing before record 4'],
    ],
    ['replaced by something else', LINES.with(2, 'hello'), ['NotARecord 3: the line is not a record']],
  ])('that is %s should be found by its place', (_, lines, expected) => {
    expect(problems(audit(lines)).slice(0, expected.length)).toEqual(expected);
  });

  it('should be compared with what was noted of it elsewhere, by the beginning of its hash', () => {
    const hash = audit(LINES).last?.hash ?? '';
    const mark = (seq: number, noted: string) => ({ seq, hash: noted, by: '--head' });
    expect(audit(LINES, { marks: [mark(6, hash), mark(6, hash.slice(0, 16))] }).problems).toEqual([]);
    expect(problems(audit(LINES, { marks: [mark(3, hash.slice(0, 16))] }))[0]).toMatch(/^MarkDiffers 3: record 3 has the hash/);
    expect(problems(audit(LINES, { marks: [mark(9, hash)] }))[0]).toMatch(
      /^EndMissing 6: the ledger ends with record 6, and --head names record 9/,
    );
  });

  it('should be found to be rewritten with all that follow, by what was noted of it', () => {
    const rewritten = linesOf(ENTRIES.toSpliced(3, 1));
    const noted = { seq: 6, hash: audit(LINES).last?.hash ?? '', by: '--head' };
    const head = headOf(rewritten, 1);
    expect(audit(rewritten, { head }).problems.map(({ kind }) => kind)).not.toContain('RecordChanged');
    expect(problems(audit(rewritten, { head, marks: [noted] })).at(-1)).toMatch(/^EndMissing/);
  });
});

describe('what a pass meant to do', () => {
  const audited = (entries: readonly object[]) => {
    const lines = linesOf(entries);
    return audit(lines, { head: headOf(lines, 1) });
  };
  it('should have an outcome when the pass has ended', () => {
    const entries = ENTRIES.with(4, { type: 'outcome', pass: 1, outcome: 'removed', intents: [[4, 4]] }).with(5, {
      type: 'end',
      pass: 1,
      outcomes: { removed: 1 },
    });
    expect(problems(audited(entries))).toEqual(['IntentUnanswered 6: pass 1 has ended, and the outcome of 1 intent is not recorded: 3']);
  });

  it('should not be less than what it counted as removed', () => {
    const entries = ENTRIES.with(5, { type: 'end', pass: 1, outcomes: { removed: 3 } });
    expect(problems(audited(entries))).toEqual(['MoreRemovedThanRecorded 6: pass 1 counted 3 × removed, and 2 are recorded']);
  });

  it.each([
    [
      'nobody meant',
      [
        [3, 4],
        [9, 9],
      ],
    ],
    ['claims to be of everything', [[1, Number.MAX_SAFE_INTEGER]]],
  ])('should not have an outcome that %s', (_, intents) => {
    const entries = ENTRIES.with(4, { type: 'outcome', pass: 1, outcome: 'removed', intents });
    expect(problems(audited(entries))[0]).toMatch(/^OutcomeUnexplained 5/);
  });

  it('should be known after a kill, by what the next process found', () => {
    const entries = [...ENTRIES.slice(0, 4), { type: 'recovered', pass: 1, gone: [[3, 3]], there: [[4, 4]] }];
    const { problems: found, notes, outcomes } = audited(entries);
    expect(found).toEqual([]);
    expect(notes).toEqual([
      '2 removals of passes that were killed, or could not record their end: the next pass found out what became of each',
    ]);
    expect(outcomes).toEqual({ interrupted: 2 });
  });
});

describe('a file of the ledger', () => {
  it.each([
    ['missing', undefined, /^there is none: /],
    ['not ours', '{}', /^it is not what this version writes: /],
    ['the same with a space', headOf(LINES, 1).replace('{', '{ '), /^it is not what this version writes: /],
  ])('should be named when head.json is %s', (_, head, message) => {
    const files = memoryLedgerFiles([`${LINES.join('\n')}\n`], head);
    expect(runNow(auditLedger(files)).problems).toEqual([
      { kind: 'HeadUnreadable', segment: 'head.json', message: expect.stringMatching(message) as string },
    ]);
  });

  it('should be named when it cannot be read, or head.json names another', () => {
    const files = memoryLedgerFiles([errnoError('EIO', 'i/o error'), `${LINES.join('\n')}\n`], headOf(LINES, 3));
    const { problems: found } = runNow(auditLedger(files));
    expect(found.map(({ kind, segment }) => `${kind} ${segment}`)).toEqual([
      'FileUnreadable ledger-000001.jsonl',
      'SegmentMissing ledger-000003.jsonl',
    ]);
  });

  it.each([
    [{ uid: 42_436, mode: 0o40700 }, /^it belongs to user 42436/],
    [{ uid: 0, mode: 0o40770 }, /^its mode 770 lets others write it/],
  ])('should be ours alone: %o', (over, message) => {
    const provenance = { device: 1, links: 1, ...over };
    const files = memoryLedgerFiles([`${LINES.join('\n')}\n`], headOf(LINES, 1), { provenance });
    expect(runNow(auditLedger(files, { owners: [0] })).problems[0]).toMatchObject({
      kind: 'NotOurs',
      message: expect.stringMatching(message) as string,
    });
    expect(runNow(auditLedger(files)).problems).toEqual([]);
  });
});
