import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, rmSync, statfsSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { auditLedger } from '../../src/ledger/audit/audit.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/reading/open-ledger.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { runNow } from '../../src/lib/slices.ts';
import type { RemovalRecord } from '../../src/model/ledger/recorder.ts';
import { createPass } from '../../src/wire/pass.ts';
import { intentOf } from '../helpers/ledger-entries.ts';
import { intendedNames, readLedger } from '../helpers/read-ledger.ts';
import { configOf } from './config.ts';
import { unrecorded } from './recorded.ts';
import { buildWorld, leftOver, type World } from './world.ts';

const MIB = 2 ** 20;
const DAYS_AGO = Date.now() / 1000 - 3 * 86_400;

/** A real file system with ext4. Mounting needs root, as CI and the test set-up have it. */
function ext4(path: string): void {
  const image = join(mkdtempSync(join(tmpdir(), 'basekeeper-full-')), 'image');
  writeFileSync(image, '');
  truncateSync(image, 16 * MIB);
  execFileSync('/sbin/mkfs.ext4', ['-q', '-m', '0', '-b', '1024', image]);
  execFileSync('mount', ['-o', 'loop', image, path]);
  onTestFinished(() => {
    execFileSync('umount', [path]);
    rmSync(join(image, '..'), { recursive: true });
  });
}

/** Takes the last byte. */
function fill(path: string): void {
  for (const size of [MIB, 1024])
    for (let number = 0; statfsSync(path).bavail > 0; number += 1) {
      try {
        writeFileSync(join(path, `filler-${size}-${number}`), Buffer.alloc(size, 1));
      } catch {
        break;
      }
    }
  expect(statfsSync(path).bavail).toBeLessThan(4);
}

/** An instances path with ext4. */
function worldOnExt4(): World {
  const world = buildWorld({ locks: true });
  onTestFinished(() => world[Symbol.dispose]());
  const { instancesPath } = world.tree;
  const copy = world.tree.path('../copy');
  execFileSync('cp', ['-a', instancesPath, copy]);
  ext4(instancesPath);
  execFileSync('cp', ['-a', `${copy}/.`, instancesPath]);
  rmSync(copy, { recursive: true });
  return world;
}

function put(world: World, name: string, bytes: number): void {
  const path = world.tree.path(`_base/${name}`);
  writeFileSync(path, Buffer.alloc(bytes, 1));
  utimesSync(path, DAYS_AGO, DAYS_AGO);
}

/** Gives files another name, elsewhere on their file system. */
function linkAll(world: World, names: readonly string[]): void {
  for (const name of names) linkSync(world.tree.path(`_base/${name}`), world.tree.path(`kept-${name}`));
}

async function pass(world: World, settings: SettingsInput = {}) {
  const warned = vi.spyOn(console, 'error').mockReturnValue();
  onTestFinished(() => warned.mockRestore());
  const wired = await createPass(configOf({ instancesPath: world.tree.instancesPath, workloadsPath: world.workloadsPath }, settings));
  try {
    const { files, findings, ledger } = await wired.runPass({ dryRun: false });
    const said = findings.filter(({ type }) => type === 'LedgerUnwritable').map(({ message }) => message);
    const failed = [...files].filter(({ outcome }) => outcome === 'RemovalFailed').map(({ outcomeMessage }) => outcomeMessage ?? '');
    return { failed, said, unrecordedFiles: ledger?.unrecordedFiles, logged: warned.mock.calls.length };
  } finally {
    await wired.close();
  }
}

describe('a full file system without room for a ledger', () => {
  it.each([
    ['have another name', linkAll, 'it has another name'],
    ['take no space', (world: World, names: readonly string[]) => names.forEach((name) => put(world, name, 0)), 'it takes no space'],
  ])('should keep files that %s: their removal makes none', async (_, make, reason) => {
    const world = worldOnExt4();
    make(world, world.unused);
    fill(world.tree.instancesPath);
    const { failed, said, unrecordedFiles, logged } = await pass(world);
    expect(failed).toEqual(world.unused.map(() => expect.stringMatching(new RegExp(`^ENOSPC: .*; it stays: ${reason}`))));
    expect([leftOver(world), said.length, unrecordedFiles, logged]).toEqual([world.unused, 1, undefined, 0]);
    expect(said[0]).not.toContain('went');
  });

  it('should keep files that go to the trash', async () => {
    const world = worldOnExt4();
    fill(world.tree.instancesPath);
    const { failed, logged } = await pass(world, { trash: { enabled: true } });
    expect(failed).toEqual(world.unused.map(() => expect.stringContaining('it would go to the trash')));
    expect([leftOver(world), logged]).toEqual([world.unused, 0]);
  });

  it('should lose one file that makes room, and have a record of each after that', async () => {
    const world = worldOnExt4();
    const [first = ''] = world.unused;
    put(world, first, MIB);
    linkAll(world, world.unused.slice(1));
    fill(world.tree.instancesPath);
    expect(await pass(world)).toEqual({ failed: [], said: [], unrecordedFiles: undefined, logged: 1 });
    expect(leftOver(world)).toEqual([]);
    expect(unrecorded(world.tree.instancesPath, world.unused, 0)).toEqual([]);
  });

  it('should keep all where the ledger alone is on it: base files make no room there', async () => {
    const world = worldOnExt4();
    const directory = mkdtempSync(join(tmpdir(), 'basekeeper-ledger-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    ext4(directory);
    fill(directory);
    const { failed, logged } = await pass(world, { ledger: { directory: join(directory, 'ledger') } });
    expect(failed).toEqual(world.unused.map(() => expect.stringContaining('the ledger lies on another file system than the base files')));
    expect([leftOver(world), logged]).toEqual([world.unused, 0]);
  });
});

describe('the ledger on a full file system', () => {
  const SEVERAL = 20;

  /** Of a pass, with a file that goes. */
  async function began() {
    const path = mkdtempSync(join(tmpdir(), 'basekeeper-ledger-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    ext4(path);
    const place = { directory: join(path, 'ledger'), locksPath: join(path, 'locks'), host: 'one' };
    const limits = { maxBytes: 16 * MIB, maxAgeDays: 365, version: '0.2.0', clock: systemClock };
    const ledger = createLedger({ ...place, ...limits, onUnrecorded: () => {} });
    const record = await ledger.begin({ asked: { by: 'schedule' }, node: 'one', preset: 'safe', basePath: path });
    onTestFinished(() => record.close());
    return { record, path: join(path, 'ledger/one'), fill: () => fill(path) };
  }

  /** Removes files until there is no room for a record of another, however short its name is: to the last byte. Returns how many, and why no more. */
  async function useUp(record: RemovalRecord): Promise<{ readonly count: number; readonly why: unknown }> {
    let [count, length] = [0, 1500];
    for (;;) {
      try {
        for (const number of await record.intend([intentOf('x'.repeat(length))])) record.outcome(number, 'removed');
        count += 1;
      } catch (why) {
        length -= 1;
        if (length === 0) return { count, why };
      }
    }
  }

  const problemsOf = (path: string): readonly string[] => {
    const files = openLedger(path);
    if (files === undefined) return ['NoLedger'];
    try {
      return runNow(auditLedger(files)).problems.map(({ kind }) => kind);
    } finally {
      files.close();
    }
  };

  it('should keep room for what became of the last file, and for the end of the pass', async () => {
    const { record, path, fill: fillUp } = await began();
    await record.intend([intentOf('first')]).then(([number = 0]) => record.outcome(number, 'removed'));
    fillUp();
    const { count } = await useUp(record);
    expect(count).toBeGreaterThan(SEVERAL);
    await record.end({ removed: count + 1 });
    const { records, problems } = readLedger(path);
    expect([problems, problemsOf(path), intendedNames(records).length]).toEqual([[], [], count + 1]);
    expect(records.at(-1)).toMatchObject({ type: 'end', outcomes: { removed: count + 1 } });
  });

  it('should let no more than 16 files go that leave no more room, and an audit should miss them', async () => {
    const { record, path, fill: fillUp } = await began();
    fillUp();
    const { count, why } = await useUp(record);
    const owe = () => record.outcome(record.owe(intentOf('owed'), why), 'removed');
    for (let owed = 0; owed < 16; owed += 1) owe();
    expect(owe).toThrow(/^ENOSPC: .*; the last 16 files that went to make room left no more of it/);
    const { problem, unrecordedFiles } = await record.end({ removed: count + 16 });
    expect([unrecordedFiles, problem]).toEqual([16, expect.stringMatching(/; 16 files went to make room, and the log alone has them$/)]);
    expect(readLedger(path).records.at(-1)).toMatchObject({ type: 'end' });
    expect(problemsOf(path)).toEqual(['MoreRemovedThanRecorded']);
  });

  it('should let no file go for another problem than room', async () => {
    const { record } = await began();
    const broken = Object.assign(new Error('EIO: the ledger'), { code: 'EIO' });
    expect(() => record.owe(intentOf('a'), broken)).toThrow(broken);
  });
});
