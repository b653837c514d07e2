import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditLedger } from '../../../src/ledger/audit/audit.ts';
import { createLedger, type LedgerOptions } from '../../../src/ledger/ledger.ts';
import { openLedger } from '../../../src/ledger/reading/open-ledger.ts';
import { runNow } from '../../../src/lib/slices.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { RecordedPass, RemovalRecord } from '../../../src/model/ledger/recorder.ts';
import type { LedgerRecord } from '../../../src/model/ledger/records.ts';
import { makeTree, NOBODY, openDescriptors, type Tree } from '../../helpers/execute-tree.ts';
import { intentOf } from '../../helpers/ledger-entries.ts';
import { intendedNames, ledgerOf, readLedger } from '../../helpers/read-ledger.ts';

const DAY_MS = 86_400_000;

function ledgerIn({ instancesPath, locksPath }: Tree, rest: Partial<LedgerOptions> = {}) {
  const directory = join(locksPath, 'basekeeper-ledger');
  const ledger = createLedger({
    onUnrecorded: () => {},
    directory,
    locksPath,
    host: 'node-1',
    maxBytes: 16_777_216,
    maxAgeDays: 365,
    version: '0.2.0',
    clock: systemClock,
    ...rest,
  });
  const pass: RecordedPass = { asked: { by: 'schedule' }, node: 'node-1', preset: 'safe', basePath: join(instancesPath, '_base') };
  return { path: ledgerOf(instancesPath), begin: () => ledger.begin(pass) };
}

/** One pass that removes these files. */
async function passOf(record: RemovalRecord, names: readonly string[]) {
  record.evidence({ sources: [], overlays: { ok: 1 }, unseen: 0 });
  for (const intent of await record.intend(names.map((name) => intentOf(name)))) record.outcome(intent, 'removed');
  const state = await record.end({ removed: names.length });
  record.close();
  return state;
}

const typesOf = (records: readonly LedgerRecord[]) => records.map(({ type }) => type);
const head = (path: string): unknown => JSON.parse(readFileSync(join(path, 'head.json'), 'utf8'));

describe('a ledger', () => {
  it('should have each pass with its evidence, its intents, what became of them, and its end', async () => {
    const { path, begin } = ledgerIn(makeTree());
    await passOf(await begin(), ['a', 'b']);
    const state = await passOf(await begin(), ['c']);
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([]);
    expect(typesOf(records)).toEqual([
      'pass',
      'evidence',
      'intent',
      'intent',
      'outcome',
      'end',
      'pass',
      'evidence',
      'intent',
      'outcome',
      'end',
    ]);
    expect(records[2]).toMatchObject({ pass: 1, evidence: 2, name: 'a' });
    expect(records[4]).toMatchObject({ pass: 1, outcome: 'removed', intents: [[3, 4]] });
    expect(state).toMatchObject({ last: { seq: 11 } });
    expect(state.problem).toBeUndefined();
    expect(head(path)).toEqual({ first: { seq: 1, prev: '0'.repeat(64) }, last: state.last, segments: ['ledger-000001.jsonl'] });
  });

  it('should have an intent on disk when it says so', async () => {
    const { path, begin } = ledgerIn(makeTree());
    const record = await begin();
    expect(await record.intend([intentOf('a')])).toEqual([3]);
    expect(intendedNames(readLedger(path).records)).toEqual(['a']);
    record.close();
  });

  it('should be ours alone', async () => {
    const { path, begin } = ledgerIn(makeTree());
    await passOf(await begin(), ['a']);
    const modes = [path, join(path, '..')].map((directory) => statSync(directory).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700]);
    expect(readdirSync(path).toSorted()).toEqual(['head.json', 'ledger-000001.jsonl', 'lock']);
    expect(readdirSync(path).map((name) => statSync(join(path, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  });

  it('should have nothing of a pass that removes nothing but its reserve, and nothing at all without a lock directory', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    const record = await begin();
    expect(await record.end({ kept: 3 })).toMatchObject({ last: undefined, bytes: 131_072 });
    record.close();
    expect(readLedger(path)).toEqual({ records: [], problems: [] });
    rmSync(tree.locksPath, { recursive: true });
    (await begin()).close();
    expect(readdirSync(tree.instancesPath)).toEqual(['_base']);
  });

  it('should always end in blank lines that are there', async () => {
    const { path, begin } = ledgerIn(makeTree());
    for (let pass = 0; pass < 40; pass += 1) {
      await passOf(
        await begin(),
        Array.from({ length: 20 }, (_, index) => `${pass}-${index}`),
      );
      const text = readFileSync(join(path, 'ledger-000001.jsonl'), 'latin1');
      expect(text.length - text.replace(/\n+$/, '').length).toBeGreaterThanOrEqual(65_536);
    }
    expect(readLedger(path).problems).toEqual([]);
  });

  it('should leave no descriptor open', async () => {
    const { begin } = ledgerIn(makeTree());
    const before = openDescriptors().length;
    await passOf(await begin(), ['a']);
    expect(openDescriptors().length).toBe(before);
  });

  it('should begin another file after a mebibyte, and drop the oldest where they are too much', async () => {
    const { path, begin } = ledgerIn(makeTree(), { maxBytes: 3_000_000 });
    const names = (pass: number) => Array.from({ length: 1000 }, (_, index) => `${pass}-${index}`);
    for (let pass = 0; pass < 14; pass += 1) await passOf(await begin(), names(pass));
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([]);
    const segments = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
    expect(segments).not.toContain('ledger-000001.jsonl');
    expect(segments.length).toBeGreaterThan(1);
    expect(segments.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)).toBeLessThan(4_500_000);
    expect(records[0]?.seq).toBeGreaterThan(1);
    expect(head(path)).toMatchObject({
      first: { seq: records[0]?.seq, prev: records[0]?.prev },
      last: { seq: records.at(-1)?.seq },
      segments,
    });
  });

  it('should keep the last pass whole, and one of another process that runs, however much they are', async () => {
    const { path, begin } = ledgerIn(makeTree(), { maxBytes: 1 });
    const names = Array.from({ length: 6000 }, (_, index) => `${index}`);
    const running = await begin();
    await running.intend([intentOf('running')]);
    for (const some of [names, names]) await passOf(await begin(), some);
    expect(readLedger(path)).toMatchObject({ records: { 0: { type: 'pass', seq: 1 }, length: 12_011 }, problems: [] });
    await running.end({});
    running.close();
    const { last } = await passOf(await begin(), names);
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([]);
    expect(records.filter(({ type }) => type === 'pass').map(({ seq }) => seq)).toContain((last?.seq ?? 0) - 6003);
    expect(records[0]?.seq).toBeGreaterThan(1);
  });

  it('should say what is true where head.json alone cannot be written', async () => {
    const { path, begin } = ledgerIn(makeTree());
    const record = await begin();
    const [number = 0] = await record.intend([intentOf('a')]);
    record.outcome(number, 'removed');
    rmSync(join(path, 'head.json'));
    mkdirSync(join(path, 'head.json', 'x'), { recursive: true });
    const { problem } = await record.end({ removed: 1 });
    record.close();
    expect(problem).toMatch(/^EISDIR: .*: all is recorded, and head\.json could not be renewed: .*; correct it$/);
    expect(typesOf(readLedger(path).records)).toEqual(['pass', 'evidence', 'intent', 'outcome', 'end']);
  });

  it('should drop what is older than its greatest age, as a whole file, and never the last one', async () => {
    let nowMs = Date.now() - 800 * DAY_MS;
    const clock = { now: () => ({ wallMs: nowMs, monotonicMs: 0 }) };
    const { path, begin } = ledgerIn(makeTree(), { clock });
    await passOf(await begin(), ['a']);
    nowMs += 40 * DAY_MS;
    await passOf(await begin(), ['b']);
    expect(readdirSync(path)).toContain('ledger-000002.jsonl');
    nowMs = Date.now() + 366 * DAY_MS;
    await passOf(await begin(), ['c']);
    const { records, problems } = readLedger(path);
    expect([intendedNames(records), problems]).toEqual([['c'], []]);
  });
});

describe('a ledger that another process left', () => {
  it('should lose a record that is not whole, say so, and go on', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    await passOf(await begin(), ['a']);
    const segment = join(path, 'ledger-000001.jsonl');
    const torn = '{"seq":6,"prev":"12';
    writeFileSync(segment, readFileSync(segment, 'latin1').replace(/\n+$/, `\n${torn}`) + '\n'.repeat(70_000));
    await passOf(await ledgerIn(tree).begin(), ['b']);
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([]);
    expect(records[5]).toMatchObject({ seq: 6, type: 'recovered', torn: { bytes: torn.length } });
    expect(intendedNames(records)).toEqual(['a', 'b']);
  });

  it('should say of intents without an outcome whether their files are gone', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    writeFileSync(join(tree.basePath, 'there'), '');
    writeFileSync(join(tree.basePath, 'touched'), '');
    const identity = (name: string) => {
      const { ino, dev, mtimeNs } = statSync(join(tree.basePath, name), { bigint: true });
      return { inode: String(ino), device: String(dev), modifiedAtNs: String(mtimeNs) };
    };
    const killed = await begin();
    await killed.intend([
      intentOf('gone'),
      intentOf('there', identity('there')),
      intentOf('settled'),
      intentOf('touched', { ...identity('touched'), modifiedAtNs: '1' }),
    ]);
    killed.outcome(5, 'kept');
    await killed.intend([intentOf('replaced')]);
    killed.close();
    writeFileSync(join(tree.basePath, 'replaced'), '');
    (await ledgerIn(tree).begin()).close();
    const { records } = readLedger(path);
    expect(records.at(-1)).toMatchObject({
      type: 'recovered',
      pass: 1,
      gone: [
        [3, 3],
        [8, 8],
      ],
      there: [[4, 4]],
      // It, or another file that got its number.
      unknown: [[6, 6]],
    });
    (await ledgerIn(tree).begin()).close();
    expect(readLedger(path).records).toHaveLength(records.length);
  });

  it('should not be recovered from a process that is at work', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    const atWork = await begin();
    const [intent = 0] = await atWork.intend([intentOf('a')]);
    await passOf(await ledgerIn(tree).begin(), ['b']);
    atWork.outcome(intent, 'removed');
    await atWork.end({ removed: 1 });
    atWork.close();
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([]);
    expect(typesOf(records)).not.toContain('recovered');
    expect(records.at(-1)).toMatchObject({ type: 'end', pass: 1 });
  });

  it('should keep what somebody changed in it, for an audit to find', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    await passOf(await begin(), ['a']);
    await passOf(await begin(), ['b']);
    const segment = join(path, 'ledger-000001.jsonl');
    writeFileSync(segment, readFileSync(segment, 'latin1').replace('"name":"a"', '"name":"x"'));
    await passOf(await ledgerIn(tree).begin(), ['c']);
    const { records, problems } = readLedger(path);
    expect(problems).toEqual([expect.stringContaining('does not continue the chain')]);
    expect(intendedNames(records)).toEqual(['x', 'b', 'c']);
  });

  it('should go on after any bytes at its end', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    await passOf(await begin(), ['a']);
    appendFileSync(join(path, 'ledger-000001.jsonl'), Buffer.from([0, 255, 1, 2]));
    await passOf(await ledgerIn(tree).begin(), ['b']);
    expect(readLedger(path).problems).toEqual([]);
  });
});

describe('a ledger of which somebody took something away', () => {
  const kindsIn = (path: string) => {
    const files = openLedger(path);
    if (files === undefined) return ['NoLedger'];
    using closing = { [Symbol.dispose]: () => files.close() };
    void closing;
    return runNow(auditLedger(files)).problems.map(({ kind }) => kind);
  };
  const filled = async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree, { maxBytes: 16_777_216 });
    const names = (pass: number) => Array.from({ length: 1500 }, (_, index) => `${pass}-${index}`);
    for (let pass = 0; pass < 5; pass += 1) await passOf(await begin(), names(pass));
    expect(kindsIn(path)).toEqual([]);
    return { tree, path, begin };
  };

  it.each<[string, (path: string) => void, string]>([
    ['its first file', (path) => rmSync(join(path, 'ledger-000001.jsonl')), 'SegmentMissing'],
    ['its last records', (path) => blank(path, 'ledger-000002.jsonl', 3), 'RecordsMissing'],
    ['its last file', (path) => rmSync(join(path, 'ledger-000002.jsonl')), 'RecordsMissing'],
    ['all of its files', (path) => ['1', '2'].forEach((n) => rmSync(join(path, `ledger-00000${n}.jsonl`))), 'BeginningMissing'],
  ])('should go on to miss %s after the next pass, also of another process', async (_, take, kind) => {
    const { tree, path } = await filled();
    take(path);
    for (let pass = 0; pass < 2; pass += 1) await passOf(await ledgerIn(tree).begin(), [`later-${pass}`]);
    expect(kindsIn(path)).toContain(kind);
  });

  it('should miss all of it where the directory was moved away from a process that goes on', async () => {
    const { tree, path, begin } = await filled();
    renameSync(join(path, '..'), join(tree.locksPath, 'elsewhere'));
    await passOf(await begin(), ['later']);
    expect(kindsIn(path)).toContain('BeginningMissing');
  });

  it('should say again where it ends after a process that was killed before it did', async () => {
    const tree = makeTree();
    const { path, begin } = ledgerIn(tree);
    await passOf(await begin(), ['a']);
    const old = readFileSync(join(path, 'head.json'));
    await passOf(await begin(), ['b']);
    writeFileSync(join(path, 'head.json'), old);
    (await ledgerIn(tree).begin()).close();
    expect(head(path)).toMatchObject({ last: { seq: 10 } });
    expect(kindsIn(path)).toEqual([]);
  });
});

/** Blanks the last records of a file. */
function blank(path: string, name: string, count: number): void {
  const text = readFileSync(join(path, name), 'latin1');
  const lines = text.trimEnd().split('\n');
  const kept = `${lines.slice(0, -count).join('\n')}\n`;
  writeFileSync(join(path, name), kept.padEnd(text.length, '\n'), 'latin1');
}

describe('a ledger in a place that is not ours', () => {
  const refused = async (tree: Tree) => {
    const { begin } = ledgerIn(tree);
    const record = await begin();
    const message = await record.intend([intentOf('a')]).then(
      () => 'recorded',
      (error: unknown) => (error as Error).message,
    );
    const state = await record.end({});
    record.close();
    expect(state.problem).toBe(message);
    return message;
  };

  it('should be refused where it is a link', async () => {
    const tree = makeTree();
    mkdirSync(join(tree.instancesPath, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(tree.instancesPath, 'elsewhere'), join(tree.locksPath, 'basekeeper-ledger'));
    expect(await refused(tree)).toMatch(/^(?:ENOTDIR|ELOOP): .*ledger\.enabled: false/);
    expect(readdirSync(join(tree.instancesPath, 'elsewhere'))).toEqual([]);
  });

  it('should be refused where another user made it, and where another may write to it', async () => {
    const tree = makeTree();
    const directory = join(tree.locksPath, 'basekeeper-ledger');
    mkdirSync(directory, { mode: 0o700 });
    chmodSync(directory, 0o770);
    expect(await refused(tree)).toMatch(/others may write to '.*basekeeper-ledger': check what lies there, then chmod go-w it/);
    if (process.getuid?.() !== 0) return;
    chmodSync(directory, 0o700);
    chownSync(directory, NOBODY, NOBODY);
    expect(await refused(tree)).toMatch(/'.*basekeeper-ledger' belongs to user 65534: find out who made it, and move it away/);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('should be refused where a file of it is a link, or has another name', async () => {
    const tree = makeTree();
    const path = ledgerOf(tree.instancesPath);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(join(path, '..'), 0o700);
    writeFileSync(join(tree.instancesPath, 'victim'), 'mine');
    symlinkSync(join(tree.instancesPath, 'victim'), join(path, 'ledger-000001.jsonl'));
    expect(await refused(tree)).toMatch(/ELOOP/);
    expect(readFileSync(join(tree.instancesPath, 'victim'), 'utf8')).toBe('mine');
  });
});
