import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../helpers/command-line.ts';
import { addPass, LedgerMaker, namesFrom } from '../helpers/ledgers.ts';
import { CHANGES, tryChanges } from './ledger.ts';
import { Random } from './random.ts';

const CHANGES_TRIED = 1000;
const MIB = 2 ** 20;

describe('a ledger that somebody has changed', () => {
  it(`should be found to be, by each of ${CHANGES_TRIED} random changes`, () => {
    // `npm run fuzz -- --ledgers N --seed S` tries others.
    const { missed, kinds, found } = tryChanges({ changes: CHANGES_TRIED, random: new Random(18) });
    expect(missed).toEqual([]);
    expect(Object.keys(kinds).toSorted()).toEqual(Object.keys(CHANGES).toSorted());
    for (const kind of ['RecordChanged', 'RecordsMissing', 'OutOfOrder', 'NotARecord', 'EndMissing', 'MarkDiffers', 'HeadUnreadable'])
      expect(found[kind] ?? 0, kind).toBeGreaterThan(20);
  });
});

describe('a ledger that is none', () => {
  const SEGMENT = 'ledger-000001.jsonl';
  let directory: string;
  let place: (name: string) => string;
  let first: string;
  beforeEach(() => {
    const root = mkdtempSync(join(tmpdir(), 'basekeeper-hostile-'));
    directory = join(root, 'node-1');
    place = (name) => join(directory, name);
    const maker = new LedgerMaker(directory);
    addPass(maker, namesFrom(0, 3));
    maker.close();
    first = JSON.stringify({ seq: 1, prev: '0'.repeat(64), at: '2026-11-01T00:00:00.000Z', type: 'end', pass: 1, outcomes: {} });
  });
  afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

  const both = async () => {
    const [audit, history] = [
      await runCommandLine(['audit', '--ledger', directory]),
      await runCommandLine(['history', '--ledger', directory]),
    ];
    for (const { stdout, stderr } of [audit, history]) expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    return { audit, history };
  };
  const random = new Random(7);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));

  it.each<[string, () => string | Buffer]>([
    ['binary', () => noise(MIB / 8)],
    ['not UTF-8', () => Buffer.from(first.replace('end', '\u00ff\u00fe').concat('\n'), 'latin1')],
    ['full of control characters', () => `${first.replace('end', '\\u001b[31m\u001b[31m\u202e')}\n`],
    ['nested as deep as a line is long', () => `${first.replace('{}', '['.repeat(500_000))}${']'.repeat(500_000 - 100_000)}}\n`],
    ['JSON of other types', () => '[]\nnull\n1\n"x"\n{"seq":"1"}\n'],
    ['empty', () => ''],
  ])('should be found to be %s, and shown without harm', async (_, content) => {
    writeFileSync(place(SEGMENT), content());
    const { audit, history } = await both();
    expect(audit.code).toBe(1);
    expect(history.code).toBe(0);
    expect(history.stdout).toContain('No removal is recorded that matches.');
  });

  it('should show nothing of what is nested in a record beside what a record has', async () => {
    const intents = {
      action: 'unlink',
      kind: 'original',
      name: 'a',
      sizeBytes: 1,
      allocatedBytes: 1,
      device: '1',
      inode: '1',
      modifiedAtNs: '1',
    };
    const line = JSON.stringify({
      ...JSON.parse(first),
      type: 'intent',
      evidence: 1,
      ...intents,
      verdict: 'remove',
      reason: 'Unused',
      more: 0,
    });
    writeFileSync(place(SEGMENT), `${line.replace('"more":0', `"more":${'['.repeat(200_000)}${']'.repeat(200_000)}`)}\n`);
    for (const format of ['json', 'yaml', 'table']) {
      const { code, stdout } = await runCommandLine(['history', '--ledger', directory, '-o', format]);
      expect(code).toBe(0);
      expect(stdout).toContain('Unused');
      expect(stdout).not.toContain('[[[');
    }
  });

  it('should not be held in memory, however long its lines are', async () => {
    writeFileSync(place(SEGMENT), Buffer.alloc(96 * MIB, 'x'));
    const before = process.memoryUsage().rss;
    const { audit, history } = await both();
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * MIB);
    expect(audit.stdout).toContain(`NotARecord: ${SEGMENT} line 1: the line has no end`);
    expect(history.stdout).toContain('1 line could not be read');
  });

  it.each<[string, () => void]>([
    ['a FIFO', () => void execFileSync('mkfifo', [place('ledger-000002.jsonl')])],
    ['a directory', () => mkdirSync(place('ledger-000002.jsonl'))],
    ['a link', () => symlinkSync(place(SEGMENT), place('ledger-000002.jsonl'))],
  ])('should be found to have %s for a file', async (_, make) => {
    make();
    const audit = await runCommandLine(['audit', '--ledger', directory]);
    expect(audit.code).toBe(1);
    expect(audit.stdout).toContain('FileUnreadable: ledger-000002.jsonl: ');
    expect(await runCommandLine(['history', '--ledger', directory])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ledger-000002') as string,
    });
  });

  it('should not be read through a link', async () => {
    renameSync(directory, `${directory}-real`);
    symlinkSync(`${directory}-real`, directory);
    const { audit, history } = await both();
    for (const { code, stderr } of [audit, history]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/the ledger .* cannot be opened: (?:ELOOP|ENOTDIR)/);
    }
  });
});
