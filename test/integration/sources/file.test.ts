import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createFileSource } from '../../../src/sources/file/source.ts';

let directory: string;
let path: string;
const read = async () => await createFileSource({ path, clock: systemClock }).read({ consistent: true });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'basekeeper-file-'));
  path = join(directory, 'workloads.yaml');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a workloads file that cannot be used', () => {
  it.each([
    ['it is missing', () => undefined, /ENOENT/],
    ['it is a directory', () => mkdirSync(path), /EISDIR/],
    ['it is not YAML', () => writeFileSync(path, 'workloads: ['), /line 1/],
    ['it has a mistake', () => writeFileSync(path, 'workloads:\n  - nam: a\n'), /line 2: workloads\[0\]\.name is required, and 1 more/],
    ['it is not UTF-8', () => writeFileSync(path, Buffer.from('workloads: [{name: "a", imageRef: "\xfc"}]', 'latin1')), /not valid/],
    ['it is empty', () => writeFileSync(path, ''), /workloads is required/],
  ])('should be a failed source and a gap that says so: %s', async (_case, prepare, message) => {
    prepare();
    const { status, workloads, gaps } = await read();
    expect(workloads).toEqual([]);
    expect(status).toMatchObject({ name: 'file', state: 'failed', consistentListAtMs: undefined, message: expect.stringMatching(message) });
    expect(gaps).toEqual([{ kind: 'UnreadableSource', source: 'file', message: status.message }]);
    expect(status.message).toContain(path);
  });
});

describe('a workloads file', () => {
  it('should be read again each time', async () => {
    const source = createFileSource({ path, clock: systemClock });
    source.start();
    writeFileSync(path, 'workloads: [{name: a}]');
    expect((await source.read({ consistent: false })).workloads.map(({ name }) => name)).toEqual(['a']);
    writeFileSync(path, '\ufeffworkloads: [{name: b}]');
    expect((await source.read({ consistent: false })).workloads.map(({ name }) => name)).toEqual(['b']);
    await source.stop();
  });

  it('should be parsed only when its bytes have changed, whatever its size and times say', async () => {
    const source = createFileSource({ path, clock: systemClock });
    const names = async () => (await source.read({ consistent: false })).workloads;
    writeFileSync(path, 'workloads: [{name: a}]');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const first = await names();
    expect(await names()).toBe(first);
    writeFileSync(path, 'workloads: [{name: b}]');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    expect((await names()).map(({ name }) => name)).toEqual(['b']);
    writeFileSync(path, 'workloads: [');
    expect((await source.read({ consistent: false })).status.state).toBe('failed');
  });
});

describe('what a workloads file says of itself', () => {
  const trust = { required: true, maximumAgeSeconds: 600 };
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
  const whole = `generatedAt: "${ago(0)}"\nworkloads:\n- name: a\n- name: b\ncomplete: true\n`;
  const doubts = async (text: string, trusted: typeof trust | undefined) => {
    writeFileSync(path, text);
    const { workloads, gaps, status } = await createFileSource({ path, clock: systemClock, trust: trusted }).read({ consistent: true });
    expect(status.state).toBe('synced');
    expect(workloads[0]?.name).toBe('a');
    expect(gaps.map(({ kind }) => kind)).toEqual(gaps.map(() => 'UnreadableSource'));
    return gaps.map(({ message }) => message).join(' | ');
  };

  it('should be no gap where it is whole and new, and where it says nothing and need not', async () => {
    expect(await doubts(whole, trust)).toBe('');
    expect(await doubts('workloads: [{name: a}]', undefined)).toBe('');
  });

  it('should be a gap wherever it is cut off at the end of a line, and keep what it lists', async () => {
    const lines = whole.split('\n');
    for (const count of [3, 4]) expect(await doubts(lines.slice(0, count).join('\n'), trust)).toMatch(/cut off: it lacks "complete: true"/);
  });

  it('should be a gap where it says that it is half, or old, or of tomorrow, whether it must say so or not', async () => {
    for (const trusted of [trust, { ...trust, required: false }]) {
      expect(await doubts(whole.replace('true', 'false'), trusted)).toMatch(/not the whole list/);
      expect(await doubts(whole.replace(/".*"/, `"${ago(700)}"`), trusted)).toMatch(/made 70\d s ago, longer than 600 s/);
      expect(await doubts(whole.replace(/".*"/, `"${ago(-120)}"`), trusted)).toMatch(/in the future: set the clocks/);
    }
    expect(await doubts('workloads: [{name: a}]', trust)).toMatch(/cut off.*lacks "generatedAt"/);
  });

  it('should be refused where a time has no zone, or is none', async () => {
    for (const time of ['2026-11-28T12:00:00', 'yesterday', '2026-11-28']) {
      writeFileSync(path, `generatedAt: "${time}"\nworkloads: []\n`);
      expect((await read()).status.message).toMatch(/line 1: generatedAt must be a time with its zone/);
    }
  });

  it.each([
    ['preset: nova', true],
    ['preset: safe', false],
    ['preset: nova\nsources: {file: {requireComplete: false}}', false],
    ['sources: {file: {requireComplete: true}}', true],
  ])('should be required as the configuration says: %s', (text, required) => {
    const overrides = [{ origin: 'test', values: { sources: { file: { path } } } }];
    const { config } = loadConfig({ env: { NODE_NAME: 'n' }, text, overrides });
    expect(config?.sources.file).toEqual({ path, required, maximumAgeSeconds: 3600 });
  });
});
