import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryLock } from 'fs-native-extensions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBaseDirectoryOpener } from '../../../src/disk/base-directory.ts';
import { createExecutor } from '../../../src/execute/executor.ts';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { PlannedFile, Verdict } from '../../../src/model/plan.ts';
import type { Policy } from '../../../src/model/policy.ts';
import type { UseCheck } from '../../../src/model/ports.ts';
import { baseName, DAY_MS, executionPolicy, nobody, perFile, plannedFile, planOf, type RowOptions } from '../../helpers/execute-plans.ts';
import {
  makeTree,
  openDescriptors,
  putFile,
  startLockHolder,
  startProgram,
  withoutPrivileges,
  type LineProgram,
} from '../../helpers/execute-tree.ts';

const NAME = baseName('image-1');
const OTHER = baseName('image-2');

function setUp() {
  const tree = makeTree();
  const { basePath, locksPath } = tree;
  const oldMs = Date.now() - 2 * DAY_MS;
  const at = (name: string) => join(basePath, name);
  const row = (name: string, verdict: Verdict, options?: RowOptions): PlannedFile => {
    if (!existsSync(at(name))) putFile(at(name), oldMs);
    const stats = statSync(at(name), { bigint: true });
    const identity = { device: String(stats.dev), inode: String(stats.ino), modifiedAtNs: String(stats.mtimeNs) };
    return plannedFile(name, verdict, identity, options);
  };
  const execute = async (
    files: readonly PlannedFile[],
    options: { inUse?: UseCheck; policy?: Partial<Policy>; signal?: AbortSignal } = {},
  ) => {
    const policy = { ...executionPolicy, lockTimeoutSeconds: 30, ...options.policy };
    const parts = { locker: createFileLocker({ locksPath }), directories: createBaseDirectoryOpener(), clock: systemClock, policy };
    const { outcomes } = await createExecutor(parts).execute(planOf(basePath, files), options.inUse ?? nobody, { signal: options.signal });
    return {
      outcomes: Object.fromEntries([...outcomes].map(([name, { outcome }]) => [name, outcome])),
      messages: Object.fromEntries([...outcomes].map(([name, { message }]) => [name, message])),
    };
  };
  /** Creates a qcow2 image that nobody used for two days. */
  const putImage = (path: string, backingPath?: string) => {
    const backing = backingPath === undefined ? [] : ['-b', backingPath, '-F', 'qcow2'];
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, path, '1M']);
    utimesSync(path, oldMs / 1000, oldMs / 1000);
  };
  return { ...tree, at, oldMs, row, execute, putImage };
}

/** A QEMU that has opened an image, and has not closed it yet. */
async function openInQemu(path: string, ...flags: string[]): Promise<LineProgram> {
  const qemu = startProgram('stdbuf', ['-oL', 'qemu-io', ...flags, path]);
  // It prompts without a line break; the answer to a command shows that the image is open.
  expect(await qemu.ask('length')).toMatch(/1 MiB/);
  return qemu;
}

describe('executor: files', () => {
  it('should unlink what the plan removes and touch what it touches', async () => {
    const { at, row, execute, locksPath, basePath } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch'), row('kept', 'keep')];
    const before = Date.now();
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'removed', [OTHER]: 'touched' });
    expect(readdirSync(basePath).toSorted()).toEqual([OTHER, 'kept'].toSorted());
    expect(statSync(at(OTHER)).mtimeMs).toBeGreaterThanOrEqual(before - 1);
    expect(statSync(at('kept')).mtimeMs).toBeLessThan(before - DAY_MS);
    expect(readdirSync(locksPath)).toEqual([`nova-${NAME}`]);
  });

  it('should leave the content of a touched file alone', async () => {
    const { at, row, execute } = setUp();
    await execute([row(NAME, 'touch')]);
    expect(readFileSync(at(NAME), 'utf8')).toBe('base');
  });

  it('should find everything gone when the same plan is executed again', async () => {
    const { row, execute } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'remove')];
    await execute(files);
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'AlreadyGone', [OTHER]: 'AlreadyGone' });
  });

  it('should remove each file once when two executions of one plan meet', async () => {
    const { row, execute, basePath } = setUp();
    const names = Array.from({ length: 20 }, (_, index) => baseName(String(index)));
    const files = names.map((name) => row(name, 'remove'));
    const both = await Promise.all([execute(files), execute(files.toReversed())]);
    for (const name of names) expect(new Set(both.map(({ outcomes }) => outcomes[name]))).toEqual(new Set(['AlreadyGone', 'removed']));
    expect(readdirSync(basePath)).toEqual([]);
  });

  it('should leave no descriptor open', async () => {
    const { at, row, execute } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'remove'), row('gone', 'remove'), row('touched', 'touch')];
    unlinkSync(at('gone'));
    utimesSync(at(OTHER), new Date(), new Date());
    await execute([row('warm-up', 'remove')]);
    const before = openDescriptors();
    const { outcomes } = await execute(files);
    expect(outcomes).toEqual({ [NAME]: 'removed', [OTHER]: 'ChangedSincePlan', gone: 'AlreadyGone', touched: 'touched' });
    expect(openDescriptors()).toEqual(before);
  });

  it('should let the event loop turn between any two of many touches', async () => {
    const { row, execute } = setUp();
    const files = Array.from({ length: 300 }, (_, index) => row(baseName(String(index)), 'touch'));
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    await execute(files);
    counting = false;
    expect(turns).toBeGreaterThanOrEqual(files.length);
  });
});

describe('executor: writers that take locks', () => {
  it('should wait for a writer, and keep the file that the writer used', async () => {
    const { at, row, execute, locksPath } = setUp();
    const writer = startLockHolder();
    const lockFile = join(locksPath, `nova-${NAME}`);
    await writer.ask(`lockf ${lockFile}`);
    const execution = execute([row(NAME, 'remove')]);
    await writer.ask(`touch ${at(NAME)}`);
    await writer.ask(`unlock ${lockFile}`);
    expect((await execution).outcomes).toEqual({ [NAME]: 'ChangedSincePlan' });
    expect(existsSync(at(NAME))).toBe(true);
  });

  it('should wait for a writer, and remove the file that the writer left alone', async () => {
    const { row, execute, locksPath, basePath } = setUp();
    const nova = startLockHolder();
    await nova.ask(`nova ${locksPath} ${NAME}`);
    const execution = execute([row(NAME, 'remove')]);
    await nova.ask('done');
    expect((await execution).outcomes).toEqual({ [NAME]: 'removed' });
    expect(readdirSync(basePath)).toEqual([]);
  });

  it('should keep a file whose lock stays busy, and go on with the next', async () => {
    const { at, row, execute, locksPath } = setUp();
    await startLockHolder().ask(`lockf ${join(locksPath, `nova-${NAME}`)}`);
    const { outcomes } = await execute([row(NAME, 'remove'), row(OTHER, 'remove')], { policy: { lockTimeoutSeconds: 0.05 } });
    expect(outcomes).toEqual({ [NAME]: 'LockBusy', [OTHER]: 'removed' });
    expect(existsSync(at(NAME))).toBe(true);
  });

  it('should hold the lock of a file from before its users are asked for until it is gone', async () => {
    const { row, execute, locksPath } = setUp();
    const writer = startLockHolder();
    const answers: string[] = [];
    const inUse = perFile(async (name) => {
      answers.push(await writer.ask(`try ${join(locksPath, `nova-${name}`)}`));
      return [];
    });
    expect((await execute([row(NAME, 'remove')], { inUse })).outcomes).toEqual({ [NAME]: 'removed' });
    answers.push(await writer.ask(`try ${join(locksPath, `nova-${NAME}`)}`));
    expect(answers).toEqual(['busy', 'held']);
  });

  it('should stop waiting for a lock when the pass is stopped, and abandon the rest', async () => {
    const { at, row, execute, locksPath } = setUp();
    const writer = startLockHolder();
    for (const name of [OTHER, 'third']) await writer.ask(`lockf ${join(locksPath, `nova-${name}`)}`);
    const stop = new AbortController();
    const files = [row(NAME, 'remove'), row(OTHER, 'remove'), row('third', 'remove')];
    const inUse = perFile(async () => {
      setTimeout(() => stop.abort(), 50);
      return [];
    });
    const { outcomes } = await execute(files, { inUse, signal: stop.signal, policy: { lockTimeoutSeconds: 1000 } });
    expect(outcomes).toEqual({ [NAME]: 'removed', [OTHER]: 'Abandoned', third: 'Abandoned' });
    expect([existsSync(at(OTHER)), existsSync(at('third'))]).toEqual([true, true]);
  });

  it('should remove lock files as Nova does where the policy says so: not those of swap files, nor of files that stay', async () => {
    const { row, execute, locksPath } = setUp();
    const files = [row(NAME, 'remove'), row('swap_512', 'remove', { kind: 'swap' }), row('young', 'keep')];
    writeFileSync(join(locksPath, 'nova-young'), '');
    writeFileSync(join(locksPath, 'nova-unrelated'), '');
    await execute(files, { policy: { removeLockFiles: true } });
    expect(readdirSync(locksPath).toSorted()).toEqual(['nova-swap_512', 'nova-unrelated', 'nova-young']);
  });
});

describe('executor: images that a QEMU has open', () => {
  it('should keep a base image that is open in a QEMU, and remove it when it is closed', async () => {
    const { at, row, execute, putImage } = setUp();
    putImage(at(NAME));
    const file = row(NAME, 'remove');
    const qemu = await openInQemu(at(NAME), '-r');
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'InUseByQemu' });
    expect(existsSync(at(NAME))).toBe(true);
    await qemu.kill();
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'removed' });
  });

  it('should keep every file of a backing chain whose overlay is open in a QEMU', async () => {
    const { at, row, execute, putImage, instancesPath } = setUp();
    const resized = `${NAME}_20`;
    const overlay = join(instancesPath, 'disk');
    putImage(at(NAME));
    putImage(at(resized), at(NAME));
    putImage(overlay, at(resized));
    const files = [row(NAME, 'remove'), row(resized, 'remove', { kind: 'resized' })];
    const qemu = await openInQemu(overlay);
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'InUseByQemu', [resized]: 'InUseByQemu' });
    await qemu.kill();
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'removed', [resized]: 'removed' });
  });

  it('should keep a raw base image that is open in a QEMU', async () => {
    const { at, row, execute, oldMs } = setUp();
    putFile(at(NAME), oldMs, new Uint8Array(1024 * 1024));
    const file = row(NAME, 'remove');
    await openInQemu(at(NAME), '-r', '-f', 'raw');
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'InUseByQemu' });
  });

  it.each([
    [99, 'done'],
    [100, 'busy'],
    [200, 'busy'],
    [300, 'busy'],
    [301, 'done'],
  ] as const)('should mind a lock on byte %d as %s', (byte, answer) => {
    const { at, row, basePath } = setUp();
    const { identity } = row(NAME, 'remove');
    const fd = openSync(at(NAME), 'r');
    onTestFinished(() => closeSync(fd));
    expect(tryLock(fd, byte, 1, { shared: true })).toBe(true);
    const directory = createBaseDirectoryOpener().open(basePath);
    expect(directory.withImageLock(NAME, identity, () => undefined)).toBe(answer);
    directory.close();
  });

  it('should let no QEMU write to a base image while it is removed', async () => {
    const { at, row, putImage, basePath } = setUp();
    putImage(at(NAME));
    const { identity } = row(NAME, 'remove');
    const directory = createBaseDirectoryOpener().open(basePath);
    const openIt = () => execFileSync('qemu-io', ['-c', 'quit', at(NAME)], { stdio: 'pipe' });
    directory.withImageLock(NAME, identity, () => expect(openIt).toThrow(/Failed to (get|lock)/));
    expect(openIt).not.toThrow();
    directory.close();
  });

  it('should not change the mtime of an image by asking for its locks', async () => {
    const { at, row, execute, putImage } = setUp();
    putImage(at(NAME));
    const file = row(NAME, 'remove');
    await openInQemu(at(NAME), '-r');
    await execute([file]);
    expect(String(statSync(at(NAME), { bigint: true }).mtimeNs)).toBe(file.identity.modifiedAtNs);
  });
});

describe('executor: what stands where a base file stood', () => {
  it.each([
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a dangling symlink', (path: string) => symlinkSync('nowhere', path)],
  ])('should neither touch nor remove %s', async (_, make) => {
    const { at, row, execute, basePath } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    for (const { name } of files) {
      rmSync(at(name));
      make(at(name));
    }
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'ChangedSincePlan', [OTHER]: 'ChangedSincePlan' });
    expect(readdirSync(basePath).toSorted()).toEqual([NAME, OTHER].toSorted());
  });

  it('should not follow a symlink to a file, even to the very file that was planned', async () => {
    const { at, row, execute, instancesPath } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    const moved = files.map(({ name }) => join(instancesPath, `moved-${name}`));
    for (const [index, { name }] of files.entries()) {
      renameSync(at(name), moved[index] ?? '');
      symlinkSync(moved[index] ?? '', at(name));
    }
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'ChangedSincePlan', [OTHER]: 'ChangedSincePlan' });
    expect(moved.map((path) => String(statSync(path, { bigint: true }).mtimeNs))).toEqual(
      files.map(({ identity }) => identity.modifiedAtNs),
    );
  });

  it('should never touch what a symlink leads to', () => {
    const { at, row, basePath, oldMs } = setUp();
    const target = row(OTHER, 'keep');
    symlinkSync(OTHER, at(NAME));
    const directory = createBaseDirectoryOpener().open(basePath);
    directory.touch(NAME, oldMs + DAY_MS);
    expect(directory.stat(OTHER)?.modifiedAtNs).toBe(target.identity.modifiedAtNs);
    directory.close();
  });

  it('should run nothing on a FIFO, and not wait for its reader', () => {
    const { at, row, basePath } = setUp();
    const { identity } = row(NAME, 'remove');
    rmSync(at(NAME));
    execFileSync('mkfifo', [at(NAME)]);
    const directory = createBaseDirectoryOpener().open(basePath);
    expect(directory.withImageLock(NAME, identity, () => expect.unreachable())).toBe('changed');
    directory.close();
  });

  it('should refuse a base directory that became a symlink', async () => {
    const { row, execute, basePath, instancesPath } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    renameSync(basePath, join(instancesPath, 'elsewhere'));
    symlinkSync('elsewhere', basePath);
    const { outcomes, messages } = await execute(files);
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed', [OTHER]: 'TouchFailed' });
    expect(messages[NAME]).toMatch(/^ENOTDIR/);
    expect(readdirSync(join(instancesPath, 'elsewhere')).toSorted()).toEqual([NAME, OTHER].toSorted());
  });

  it('should leave the files of another directory alone that took the place of the scanned one', async () => {
    const { at, row, execute, basePath, oldMs } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    renameSync(basePath, `${basePath}.unmounted`);
    mkdirSync(basePath);
    putFile(at(NAME), oldMs);
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'ChangedSincePlan', [OTHER]: 'AlreadyGone' });
    expect(readdirSync(basePath)).toEqual([NAME]);
  });

  it('should remove nothing through a symlink that takes the place of the base directory half-way', async () => {
    const { row, execute, basePath, instancesPath, oldMs } = setUp();
    const file = row(NAME, 'remove');
    const victims = join(instancesPath, 'victims');
    mkdirSync(victims);
    putFile(join(victims, NAME), oldMs);
    const inUse = perFile(async () => {
      renameSync(basePath, `${basePath}.moved`);
      symlinkSync(victims, basePath);
      return [];
    });
    expect((await execute([file], { inUse })).outcomes).toEqual({ [NAME]: 'removed' });
    expect(readdirSync(victims)).toEqual([NAME]);
    expect(readdirSync(`${basePath}.moved`)).toEqual([]);
  });

  it('should call everything gone when the base directory is', async () => {
    const { row, execute, basePath } = setUp();
    const files = [row(NAME, 'remove'), row(OTHER, 'touch')];
    rmSync(basePath, { recursive: true });
    expect((await execute(files)).outcomes).toEqual({ [NAME]: 'AlreadyGone', [OTHER]: 'AlreadyGone' });
  });

  it('should remove one name of a file that has two', async () => {
    const { at, row, execute, instancesPath } = setUp();
    const file = row(NAME, 'remove');
    const link = join(instancesPath, 'link');
    linkSync(at(NAME), link);
    expect((await execute([file])).outcomes).toEqual({ [NAME]: 'removed' });
    expect(existsSync(link)).toBe(true);
  });
});

describe('executor: system calls that fail', () => {
  it('should report a directory that must not be written to, by its errno and path', async () => {
    const { at, row, execute, basePath, locksPath, instancesPath } = setUp();
    const files = [row(NAME, 'remove')];
    chmodSync(instancesPath, 0o755);
    chmodSync(locksPath, 0o777);
    chmodSync(at(NAME), 0o666);
    chmodSync(basePath, 0o555);
    const { outcomes, messages } = await withoutPrivileges(() => execute(files));
    expect(outcomes).toEqual({ [NAME]: 'RemovalFailed' });
    expect(messages[NAME]).toMatch(new RegExp(`^EACCES.*'${at(NAME)}'$`));
    chmodSync(basePath, 0o755);
  });

  it.each([
    ['unlink', 'EROFS', 'RemovalFailed', 'touched'],
    ['unlink', 'EBUSY', 'RemovalFailed', 'touched'],
    ['utimensat', 'EACCES', 'removed', 'TouchFailed'],
    ['utimensat', 'EROFS', 'removed', 'TouchFailed'],
    ['fchown', 'EPERM', 'removed', 'touched'],
    ['mkdir', 'ENOSPC', 'RemovalFailed', 'touched'],
  ])('should make of a %s that fails with %s: %s and %s', (call, errno, removal, touch) => {
    const { at, row, basePath, locksPath } = setUp();
    row(NAME, 'remove');
    row(OTHER, 'touch');
    if (call === 'mkdir') rmSync(locksPath, { recursive: true });
    const child = fileURLToPath(new URL('../../helpers/execute-child.ts', import.meta.url));
    const inject = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:error=${errno}`];
    const args = [...inject, process.execPath, child, basePath, locksPath, `${NAME}:remove`, `${OTHER}:touch`];
    const outcomes: unknown = JSON.parse(execFileSync('strace', args, { encoding: 'utf8' }));
    const messageOf = (outcome: string) => (outcome.endsWith('Failed') ? { message: expect.stringContaining(errno) } : {});
    expect(outcomes).toEqual([
      { name: OTHER, outcome: touch, ...messageOf(touch) },
      { name: NAME, outcome: removal, ...messageOf(removal) },
    ]);
    expect(existsSync(at(NAME))).toBe(removal !== 'removed');
  });
});
