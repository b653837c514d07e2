import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../helpers/command-line.ts';
import { addPass, LedgerMaker } from '../../helpers/ledgers.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const EVIL = '\u001b[31m\u202Eevil\u0007';

let directory: string;
let head: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-history-'));
  const maker = new LedgerMaker(directory);
  addPass(maker, [A, B]);
  addPass(maker, [EVIL], { over: { asked: { by: 'run-now', value: EVIL } } });
  maker.close();
  head = `${maker.last.seq}:${maker.last.hash}`;
});
afterEach(() => rmSync(directory, { recursive: true }));

const history = (...args: string[]) => runCommandLine(['history', '--ledger', directory, ...args]);
const audit = (...args: string[]) => runCommandLine(['audit', '--ledger', directory, ...args]);
const change = (text: string) => writeFileSync(join(directory, 'ledger-000001.jsonl'), text);

describe('basekeeper history', () => {
  it('should print a table, newest last, with what it comes to', async () => {
    const { code, stdout, stderr } = await history();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TIME +OUTCOME +FILE +SIZE +REASON +ASKED BY$/);
    expect(lines[1]).toMatch(new RegExp(`^2026-11-01T00:00:02Z +removed +${A} +4\\.0 KiB +Unused +schedule$`));
    expect(lines.at(-1)).toBe('3 records: 3 removed (12.0 KiB).');
  });

  it.each(['table', 'wide', 'json', 'yaml', 'name'])('should let no control character reach a terminal (%s)', async (format) => {
    const { stdout } = await history('-o', format);
    expect(stdout).toContain('evil');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('should give the same as JSON and as YAML', async () => {
    const document = JSON.parse((await history('-o', 'json')).stdout) as { items: object[] };
    expect(document).toMatchObject({ kind: 'LedgerHistory', directory, unreadable: 0 });
    expect(document.items).toHaveLength(3);
    expect(document).toHaveProperty('passes.1.asked.by', 'run-now');
    expect(document).toHaveProperty('evidence.0.sources.0.name', 'pods');
    expect(parse((await history('-o', 'yaml')).stdout)).toEqual(document);
    expect(parse((await history('-o', 'yaml', '--file', 'none')).stdout)).toMatchObject({ items: [], passes: [], evidence: [] });
    expect(JSON.parse((await history('-o', 'json', '--file', 'none')).stdout)).toMatchObject({ items: [], passes: [], evidence: [] });
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['file', ['--file', `/somewhere/_base/${A}`], [A]],
    ['image', ['--image', B], [B]],
    ['limit', ['--limit', '2', '--until', '2026-11-01T00:00:04Z'], [A, B]],
    ['time', ['--since', '2026-11-01T00:00:03Z', '--until', '2026-11-01T00:00:03Z'], [B]],
    ['age', ['--since', '1m'], []],
  ])('should be limited by %s', async (_, options, expected) => {
    expect((await history('-o', 'name', ...options)).stdout).toBe(expected.map((name) => `${name}\n`).join(''));
  });

  it.each([
    [['--since', 'yesterday'], 'It is a time such as 2026-11-23T14:00:00Z, or how long ago: 30m, 12h, 7d.'],
    [['--limit', '-1'], 'It is a number; 0 means all.'],
    [['--since', '1h', '--until', '2h'], '--since is after --until'],
    [['--config', 'x'], "option '--ledger <directory>' cannot be used with option '--config <file>'"],
  ])('should refuse %j', async (options, message) => {
    const { code, stderr } = await history(...options);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) as string });
  });

  it('should say what to do where there is no ledger', async () => {
    rmSync(directory, { recursive: true });
    const { code, stderr } = await history();
    expect({ code, stderr }).toEqual({ code: 1, stderr: `basekeeper: there is no ledger in ${directory}: check --ledger\n` });
    writeFileSync(directory, '');
    expect((await audit()).stderr).toContain(`basekeeper: the ledger ${directory} cannot be opened: ENOTDIR`);
  });
});

describe('basekeeper audit', () => {
  it('should say that a ledger is whole, and what its last record is', async () => {
    const { code, stdout } = await audit('--head', head, '--head', head.slice(0, -40));
    expect(code).toBe(0);
    expect(stdout).toBe(
      `11 records in 1 segment of ${directory}, from 1 to 11: 2 passes, 3 removed.\nLast record: ${head}\nThe ledger is whole.\n`,
    );
  });

  it('should end with 1 and name the place of what is wrong', async () => {
    change('what is this?\n');
    const { code, stdout, stderr } = await audit();
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'basekeeper: the ledger is not whole: 2 problems\n' });
    expect(stdout).toContain('NotARecord: ledger-000001.jsonl line 1: the line is not a record; compare the line with a copy');
    expect(stdout).not.toContain('is whole');
    expect(JSON.parse((await audit('-o', 'json')).stdout)).toMatchObject({ kind: 'LedgerAudit', records: 0 });
    expect((await audit('-o', 'name')).stdout).toBe(`ledger-000001.jsonl\n${directory}\n`);
  });

  it('should refuse a mark that is not one', async () => {
    expect(await audit('--head', '12')).toMatchObject({ code: 2, stderr: expect.stringContaining('at least 16 hex digits') as string });
  });
});
