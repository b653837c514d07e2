import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
