import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { runPass } from '../../src/pass/pass.ts';
import { CHECKSUM_DIRECTORY } from '../../src/verify/checksums/directory.ts';
import { createChecksumKeeper, type ChecksumKeeper } from '../../src/verify/checksums/keeper.ts';
import { createFileLocker } from '../../src/disk/locks/nova-lock.ts';
import type { ChecksumRecords, Clock, Logger } from '../../src/model/ports.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { createBaseScanner } from '../../src/scan/base-scanner.ts';
import { createFileSource } from '../../src/sources/file/source.ts';
import { createAgent } from '../../src/wire/commands.ts';
import { passParts } from '../../src/wire/pass.ts';
import { buildTree, DAY, type Tree, type TreeSpec } from '../helpers/tree.ts';

const SHA1 = cacheFileName('an-image');
const old = { ageSeconds: 2 * DAY };
const NOBODY = new AbortController().signal;
const NONE = { recordedFiles: 0, verifiedFiles: 0, mismatchedFiles: 0, deferredFiles: 0, unreadableFiles: 0, readBytes: 0 };
const RATE = 65_536;

interface Setting {
  readonly tree: Tree;
  readonly keeper: ChecksumKeeper;
  readonly slept: number[];
  readonly warnings: object[];
  /** A round after so many days. */
  readonly round: (days?: number, signal?: AbortSignal) => ReturnType<ChecksumKeeper['round']>;
  /** What the observer was told: files and bytes. */
  readonly observed: { files: number; bytes: number };
  readonly record: (name: string) => Record<string, unknown>;
}

/** The clock stands still while a file is read, and waiting takes no time: what is waited for is noted. */
function setUp(spec: TreeSpec, onSleep: (setting: Setting) => void = () => {}): Setting {
  const tree = buildTree({ ...spec, locks: { directory: true } });
  onTestFinished(tree.cleanup);
  let days = 0;
  const startMs = Date.now();
  const clock: Clock = { now: () => ({ wallMs: startMs + days * DAY * 1000, monotonicMs: 0 }) };
  const { instancesPath, basePath } = tree;
  const slept: number[] = [];
  const warnings: object[] = [];
  const logger: Logger = { debug: () => {}, info: () => {}, warn: (fields) => warnings.push(fields), error: () => {} };
  const observed = { files: 0, bytes: 0 };
  const keeper = createChecksumKeeper({
    observer: { read: (bytes) => void (observed.bytes += bytes), checked: () => void observed.files++ },
    basePath,
    scanner: createBaseScanner({ instancesPath, subdirectoryName: '_base', naming: 'strict', clock }),
    locker: createFileLocker({ locksPath: tree.path('locks') }),
    clock,
    logger,
    bytesPerSecond: RATE,
    minimumAgeFloorSeconds: 600,
    paused: () => false,
    sleep: (ms) => {
      slept.push(ms);
      onSleep(setting);
      return Promise.resolve();
    },
  });
  const setting: Setting = {
    tree,
    keeper,
    slept,
    warnings,
    observed,
    round(after = 0, signal = NOBODY) {
      days = after;
      return keeper.round(signal);
    },
    record: (name) => JSON.parse(readFileSync(tree.path(`_base/${CHECKSUM_DIRECTORY}/${name}`), 'utf8')) as Record<string, unknown>,
  };
  return setting;
}

function configOf(tree: Tree): Config {
  const workloads = tree.path('../workloads.yaml');
  writeFileSync(workloads, 'workloads: [{name: vm, imageRef: an-image}]\n');
  const off = { enabled: false };
  const sources = { pods: off, virtualMachineInstances: off, file: { path: workloads } };
  const verify = { enabled: true, checksums: { enabled: true, bytesPerSecond: RATE } };
  const http = { address: '127.0.0.1', port: 0 };
  const values = { nodeName: 'node-1', instancesPath: tree.instancesPath, sources, verify, http, annotations: false, events: false };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'test', values }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return config;
}

async function passOver(tree: Tree, checksums: ChecksumRecords) {
  const clock: Clock = { now: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }) };
  const source = createFileSource({ path: tree.path('../workloads.yaml'), clock });
  return await runPass(passParts(configOf(tree), [source], clock, { checksums }), { dryRun: true });
}

const flipFirstByte = (path: string): void => {
  const { mtime } = statSync(path);
  const [byte = 0] = readFileSync(path);
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([byte ^ 1]), 0, 1, 0);
  closeSync(fd);
  utimesSync(path, mtime, mtime);
};

describe('checksums of base files', () => {
  it('should record original, resized and legacy files, and nothing else, where nobody else can read or Nova looks', async () => {
    const names = [SHA1, `${SHA1}_20`, `${SHA1}_sm`];
    const base = Object.fromEntries(names.map((name) => [`_base/${name}`, { ...old, content: name }]));
    const { tree, round, record, observed } = setUp({
      ...base,
      '_base/swap_64': { ...old, content: 's' },
      '_base/README': { ...old, content: 'r' },
    });
    const before = await passOver(tree, { mismatchOf: () => undefined });
    expect(await round()).toEqual({ ...NONE, recordedFiles: 3, readBytes: 40 + 43 + 43 });
    expect(observed).toEqual({ files: 3, bytes: 40 + 43 + 43 });
    expect(readdirSync(tree.path(`_base/${CHECKSUM_DIRECTORY}`)).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(record(name)).toMatchObject({ sha256: createHash('sha256').update(name).digest('hex') });
    expect(statSync(tree.path(`_base/${CHECKSUM_DIRECTORY}`)).mode & 0o777).toBe(0o700);
    expect(statSync(tree.path(`_base/${CHECKSUM_DIRECTORY}/${SHA1}`)).mode & 0o777).toBe(0o600);
    const after = await passOver(tree, { mismatchOf: () => undefined });
    expect([...after.files].map(({ name }) => name)).toEqual([...before.files].map(({ name }) => name));
  });

  it('should find a flipped byte, tell it in the next pass, and decide as if it had not', async () => {
    const { tree, keeper, round, record } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'an image' } });
    await round();
    flipFirstByte(tree.path(`_base/${SHA1}`));
    expect(await round()).toEqual(NONE);
    expect(await round(2)).toMatchObject({ mismatchedFiles: 1, verifiedFiles: 0 });
    expect(record(SHA1)).toMatchObject({ differs: createHash('sha256').update('`n image').digest('hex') });
    const report = await passOver(tree, keeper.mismatches);
    const findings = report.findings.filter(({ type }) => type === 'BaseFileMismatch');
    expect(findings).toMatchObject([{ file: SHA1, message: expect.stringContaining('its content has changed') as string }]);
    expect([...report.files]).toEqual([...(await passOver(tree, { mismatchOf: () => undefined })).files]);
    expect(existsSync(tree.path(`_base/${SHA1}`))).toBe(true);
  });

  it('should know of a mismatch again after a restart, before it has read the file again', async () => {
    const { tree, round } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'an image' } });
    await round();
    flipFirstByte(tree.path(`_base/${SHA1}`));
    await round(2);
    const record = JSON.parse(readFileSync(tree.path(`_base/${CHECKSUM_DIRECTORY}/${SHA1}`), 'utf8')) as object;
    const next = setUp({ [`_base/${SHA1}`]: { ...old, content: 'an image' } });
    const { ino } = statSync(next.tree.path(`_base/${SHA1}`));
    const now = new Date(Date.now() - 1000).toISOString();
    next.tree.add({
      [`_base/${CHECKSUM_DIRECTORY}/${SHA1}`]: { content: JSON.stringify({ ...record, inode: String(ino), checkedAt: now }) },
    });
    expect(await next.round()).toEqual(NONE);
    expect((await passOver(next.tree, next.keeper.mismatches)).findings).toMatchObject([{ type: 'BaseFileMismatch' }]);
  });

  it('should find no fault with a file that was touched, also while it is read', async () => {
    const touch = ({ tree }: Setting) => utimesSync(tree.path(`_base/${SHA1}`), new Date(), new Date());
    const { tree, round } = setUp({ [`_base/${SHA1}`]: { ...old, content: Buffer.alloc(3 * RATE, 1) } }, (setting) => touch(setting));
    expect(await round()).toMatchObject({ recordedFiles: 1 });
    utimesSync(tree.path(`_base/${SHA1}`), new Date(), new Date());
    expect(await round(2)).toMatchObject({ verifiedFiles: 1, mismatchedFiles: 0 });
  });

  it('should record a replaced file again, and drop what it knows of one that is gone', async () => {
    const { tree, round, record, keeper } = setUp({
      [`_base/${SHA1}`]: { ...old, content: 'an image' },
      [`_base/${SHA1}_20`]: { ...old, content: 'another' },
    });
    await round();
    tree.add({ '_base/new': { ...old, content: 'AN IMAGE' } });
    renameSync(tree.path('_base/new'), tree.path(`_base/${SHA1}`));
    tree.remove(`_base/${SHA1}_20`);
    expect(await round()).toMatchObject({ recordedFiles: 1, mismatchedFiles: 0 });
    expect(record(SHA1)).toMatchObject({ sha256: createHash('sha256').update('AN IMAGE').digest('hex') });
    expect(readdirSync(tree.path(`_base/${CHECKSUM_DIRECTORY}`))).toEqual([SHA1]);
    expect((await passOver(tree, keeper.mismatches)).findings).toEqual([]);
  });

  it('should record nothing that somebody may be writing: young, locked, or written while it is read', async () => {
    let write = true;
    const writeMore = ({ tree }: Setting): void => {
      if (!write) return;
      const fd = openSync(tree.path(`_base/${SHA1}_3`), 'r+');
      writeSync(fd, Buffer.from('x'), 0, 1, 0);
      closeSync(fd);
    };
    const { tree, round } = setUp(
      {
        [`_base/${SHA1}_1`]: { ageSeconds: 60, content: 'young' },
        [`_base/${SHA1}_2`]: { ...old, content: 'locked' },
        [`_base/${SHA1}_3`]: { ...old, content: 'written' },
      },
      writeMore,
    );
    const lock = await createFileLocker({ locksPath: tree.path('locks') }).acquire(`${SHA1}_2`, { timeoutSeconds: 0 });
    expect(lock).toBeDefined();
    expect(await round()).toMatchObject({ recordedFiles: 0, deferredFiles: 3, readBytes: 'written'.length });
    lock?.release({ remove: false });
    write = false;
    expect(await round(1)).toMatchObject({ recordedFiles: 3 });
  });

  it('should read no more in a second than it may, in small steps, the longest unchecked file first', async () => {
    const content = Buffer.alloc(4 * RATE + 1, 7);
    const { slept, round, record } = setUp({
      [`_base/${SHA1}`]: { ...old, content },
      [`_base/${SHA1}_1`]: { ageSeconds: 0, content: 'b' },
    });
    expect(await round()).toMatchObject({ recordedFiles: 1, deferredFiles: 1, readBytes: content.length });
    expect(slept).toEqual([1000, 1000, 1000, 1000, 1000 / RATE]);
    slept.length = 0;
    // Never read, it comes before the one that was.
    expect(await round(2)).toMatchObject({ recordedFiles: 1, verifiedFiles: 1 });
    expect(slept[0]).toBe(1000 / RATE);
    expect(Object.keys(record(`${SHA1}_1`))).toHaveLength(5);
  });

  it('should stop after the chunk at hand when it is told to, and leave nothing half done', async () => {
    const controller = new AbortController();
    const { tree, slept, round, keeper } = setUp({ [`_base/${SHA1}`]: { ...old, content: Buffer.alloc(9 * RATE) } }, ({ slept: all }) => {
      if (all.length === 2) controller.abort();
    });
    expect(await round(0, controller.signal)).toMatchObject({ recordedFiles: 0, readBytes: 2 * RATE });
    expect(slept).toHaveLength(2);
    expect(readdirSync(tree.path(`_base/${CHECKSUM_DIRECTORY}`))).toEqual([]);
    await keeper.run(controller.signal);
  });

  it('should follow no link: neither in the place of its directory nor of a record', async () => {
    const { tree, round } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'an image' }, elsewhere: { directory: true } });
    symlinkSync(tree.path('elsewhere'), tree.path(`_base/${CHECKSUM_DIRECTORY}`));
    await expect(round()).rejects.toThrow(/ELOOP|ENOTDIR/);
    expect(readdirSync(tree.path('elsewhere'))).toEqual([]);
    tree.remove(`_base/${CHECKSUM_DIRECTORY}`);
    tree.add({ 'elsewhere/file': { content: 'mine' } });
    tree.add({ [`_base/${CHECKSUM_DIRECTORY}/${SHA1}`]: { symlink: '{instances}/elsewhere/file' } });
    expect(await round()).toMatchObject({ recordedFiles: 1 });
    expect(readFileSync(tree.path('elsewhere/file'), 'utf8')).toBe('mine');
  });

  it('should warn of a directory that cannot be had, go on, and end with the signal', async () => {
    const controller = new AbortController();
    const { tree, keeper, warnings } = setUp({ [`_base/${CHECKSUM_DIRECTORY}`]: { content: 'no directory' } }, ({ slept }) => {
      if (slept.length === 2) controller.abort();
    });
    await keeper.run(controller.signal);
    expect(warnings).toMatchObject(Array.from({ length: 2 }, () => ({ error: expect.stringContaining(tree.basePath) as string })));
  });

  it.each([
    ['broken', '{"sha256": 1}'],
    ['long', ' '.repeat(5000)],
  ])('should record again where a record is %s', async (_what, content) => {
    const { tree, round, record } = setUp({ [`_base/${SHA1}`]: { ...old, content: 'an image' } });
    tree.add({ [`_base/${CHECKSUM_DIRECTORY}/${SHA1}`]: { content } });
    expect(await round()).toMatchObject({ recordedFiles: 1 });
    expect(record(SHA1)).toMatchObject({ sizeBytes: 8 });
  });

  it('should be kept by the agent, which stops in the middle of a file when it is told to', async () => {
    const tree = buildTree({ [`_base/${SHA1}`]: { ...old, content: 'an image' }, locks: { directory: true } });
    onTestFinished(tree.cleanup);
    const records = tree.path(`_base/${CHECKSUM_DIRECTORY}`);
    await whileAgentRuns(tree, () => vi.waitFor(() => expect(readdirSync(records)).toEqual([SHA1]), { timeout: 60_000 }));
    tree.remove(`_base/${CHECKSUM_DIRECTORY}`);
    // Hours at this rate.
    tree.add({ [`_base/${SHA1}`]: { ...old, sizeBytes: 2 ** 30 } });
    await whileAgentRuns(tree, () => vi.waitFor(() => expect(existsSync(records)).toBe(true), { timeout: 60_000 }));
    expect(readdirSync(records)).toEqual([]);
  });
});

/** Ends when the agent has. */
async function whileAgentRuns(tree: Tree, work: () => Promise<unknown>): Promise<void> {
  const agent = await createAgent(
    { ...configOf(tree), mode: 'enforce' },
    { logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } },
  );
  const controller = new AbortController();
  const ended = agent.run(controller.signal);
  try {
    await work();
  } finally {
    controller.abort();
    await ended;
  }
}
