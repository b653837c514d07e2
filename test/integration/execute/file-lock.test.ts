import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { makeTree, NOBODY, openDescriptors, startLockHolder, withoutPrivileges } from '../../helpers/execute-tree.ts';

const AT_ONCE = { timeoutSeconds: 0 };
const PATIENTLY = { timeoutSeconds: 30 };

function setUp(options?: Parameters<typeof makeTree>[0]) {
  const tree = makeTree(options);
  const { locksPath } = tree;
  return { ...tree, locker: createFileLocker({ locksPath }), lockFile: join(locksPath, 'nova-base') };
}

describe('file lock against other processes', () => {
  it('should wait for a process that holds the lock by fcntl.lockf', async () => {
    const { locker, lockFile } = setUp();
    const holder = startLockHolder();
    expect(await holder.ask(`lockf ${lockFile}`)).toBe('held');
    const waiting = locker.acquire('base', PATIENTLY);
    expect(await holder.ask(`unlock ${lockFile}`)).toBe('released');
    expect(await waiting).toBeDefined();
  });

  it('should give up on a process that goes on holding the lock', async () => {
    const { locker, lockFile } = setUp();
    await startLockHolder().ask(`lockf ${lockFile}`);
    expect(await locker.acquire('base', { timeoutSeconds: 0.1 })).toBeUndefined();
  });

  it('should be waited for by fcntl.lockf', async () => {
    const { locker, lockFile } = setUp();
    const other = startLockHolder();
    const lock = await locker.acquire('base', AT_ONCE);
    expect(await other.ask(`try ${lockFile}`)).toBe('busy');
    const waiting = other.ask(`lockf ${lockFile}`);
    lock?.release({ remove: false });
    expect(await waiting).toBe('held');
    expect(await locker.acquire('base', AT_ONCE)).toBeUndefined();
  });

  it("should exclude Nova's own utils.synchronized, and be excluded by it", async () => {
    const { locker, locksPath } = setUp();
    const nova = startLockHolder();
    expect(await nova.ask(`nova ${locksPath} base`)).toBe('held');
    expect(readdirSync(locksPath)).toEqual(['nova-base']);
    expect(await locker.acquire('base', AT_ONCE)).toBeUndefined();
    expect(await nova.ask('done')).toBe('released');
    const lock = await locker.acquire('base', AT_ONCE);
    expect(lock).toBeDefined();
    expect(await nova.ask(`nova-try ${locksPath} base`)).toBe('busy');
    lock?.release({ remove: false });
    expect(await nova.ask(`nova-try ${locksPath} base`)).toBe('held');
  });

  it('should get the lock of a process that was killed', async () => {
    const { locker, lockFile } = setUp();
    const holder = startLockHolder();
    await holder.ask(`lockf ${lockFile}`);
    const waiting = locker.acquire('base', PATIENTLY);
    await holder.kill();
    expect(await waiting).toBeDefined();
  });

  it('should take no notice of flock(2), as Nova does not', async () => {
    const { locker, lockFile } = setUp();
    expect(await startLockHolder().ask(`flock ${lockFile}`)).toBe('held');
    expect(await locker.acquire('base', AT_ONCE)).toBeDefined();
  });

  it('should keep the lock when another descriptor of its file is closed in this process', async () => {
    const { locker, lockFile } = setUp();
    await locker.acquire('base', AT_ONCE);
    closeSync(openSync(lockFile, 'a'));
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('busy');
  });
});

describe('file lock and the lock file', () => {
  it('should use the prefix that it is given', async () => {
    const { locksPath } = setUp();
    await createFileLocker({ locksPath, lockFilePrefix: 'test-' }).acquire('base', AT_ONCE);
    expect(readdirSync(locksPath)).toEqual(['test-base']);
  });

  it('should not truncate a lock file', async () => {
    const { locker, lockFile } = setUp();
    writeFileSync(lockFile, 'somebody wrote here');
    (await locker.acquire('base', AT_ONCE))?.release({ remove: false });
    expect(readFileSync(lockFile, 'utf8')).toBe('somebody wrote here');
  });

  it('should wait for the new lock file after somebody replaced the one that it waits for', async () => {
    const { locker, lockFile } = setUp();
    const [first, second] = [startLockHolder(), startLockHolder()];
    await first.ask(`lockf ${lockFile}`);
    const waiting = locker.acquire('base', { timeoutSeconds: 1000 });
    await second.ask(`lockf ${lockFile}.new`);
    renameSync(`${lockFile}.new`, lockFile);
    await first.kill();
    expect(await locker.acquire('base', { timeoutSeconds: 0.3 })).toBeUndefined();
    await second.ask(`unlock ${lockFile}.new`);
    expect(await waiting).toBeDefined();
    expect(await second.ask(`try ${lockFile}`)).toBe('busy');
  });

  it('should leave a lock file that replaced its own when it is released with remove', async () => {
    const { locker, lockFile } = setUp();
    const lock = await locker.acquire('base', AT_ONCE);
    renameSync(lockFile, `${lockFile}.old`);
    writeFileSync(lockFile, '');
    lock?.release({ remove: true });
    expect(readdirSync(join(lockFile, '..')).toSorted()).toEqual(['nova-base', 'nova-base.old']);
  });

  it('should release the lock although the lock file cannot be removed', async () => {
    const { locker, locksPath, lockFile } = setUp();
    writeFileSync(lockFile, '');
    chmodSync(lockFile, 0o666);
    chmodSync(locksPath, 0o555);
    chmodSync(join(locksPath, '..'), 0o755);
    await withoutPrivileges(async () => {
      const lock = await locker.acquire('base', AT_ONCE);
      expect(lock).toBeDefined();
      lock?.release({ remove: true });
    });
    expect(existsSync(lockFile)).toBe(true);
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('held');
    chmodSync(locksPath, 0o755);
  });

  it.each([
    ['a symlink to a file', (path: string) => symlinkSync('elsewhere', path)],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a FIFO that nobody reads', (path: string) => execFileSync('mkfifo', [path])],
  ])('should refuse a lock file that is %s', async (_, make) => {
    const { locker, locksPath, lockFile } = setUp();
    make(lockFile);
    await expect(locker.acquire('base', AT_ONCE)).rejects.toMatchObject({ code: 'EINVAL', message: expect.stringContaining(lockFile) });
    expect(readdirSync(locksPath)).toEqual(['nova-base']);
  });

  it('should say which lock file cannot be opened, and why', async () => {
    const { locker, locksPath, lockFile } = setUp();
    chmodSync(join(locksPath, '..'), 0o755);
    chmodSync(locksPath, 0o555);
    const attempt = withoutPrivileges(() => locker.acquire('base', AT_ONCE));
    await expect(attempt).rejects.toMatchObject({ code: 'EACCES', message: expect.stringContaining(lockFile) });
    chmodSync(locksPath, 0o755);
  });
});

describe('file lock and the lock directory', () => {
  it('should create a missing lock directory', async () => {
    const { locker, lockFile } = setUp({ locks: false });
    expect(await locker.acquire('base', AT_ONCE)).toBeDefined();
    expect(existsSync(lockFile)).toBe(true);
  });

  it('should not create the parent of a lock directory: it is not mounted', async () => {
    const { instancesPath } = setUp({ locks: false });
    const locker = createFileLocker({ locksPath: join(instancesPath, 'unmounted', 'locks') });
    await expect(locker.acquire('base', AT_ONCE)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(instancesPath)).toEqual(['_base']);
  });

  it('should refuse a lock directory that is a symlink', async () => {
    const { locker, instancesPath, locksPath } = setUp({ locks: false });
    mkdirSync(join(instancesPath, 'elsewhere'));
    symlinkSync('elsewhere', locksPath);
    await expect(locker.acquire('base', AT_ONCE)).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(readdirSync(join(instancesPath, 'elsewhere'))).toEqual([]);
  });

  it('should refuse a lock directory that is a file', async () => {
    const { locker, locksPath } = setUp({ locks: false });
    writeFileSync(locksPath, '');
    await expect(locker.acquire('base', AT_ONCE)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('file lock and who may use the lock file afterwards', () => {
  // Only root can give files away; for anybody else the owner is already the right one.
  const owner = process.getuid?.() === 0 ? NOBODY : (process.getuid?.() ?? 0);
  const ownerAndMode = (path: string) => {
    const { uid, mode } = statSync(path);
    return { uid, mode: (mode & 0o777).toString(8) };
  };

  it("should give a new lock file to the lock directory's owner, so that Nova can open it", async () => {
    const { locker, locksPath, lockFile } = setUp();
    chownSync(locksPath, owner, -1);
    await locker.acquire('base', AT_ONCE);
    expect(ownerAndMode(lockFile)).toEqual({ uid: owner, mode: '644' });
  });

  it('should let a group write to a new lock file that may create files in the lock directory', async () => {
    const { locker, locksPath, lockFile } = setUp();
    chmodSync(locksPath, 0o775);
    await locker.acquire('base', AT_ONCE);
    expect(ownerAndMode(lockFile).mode).toBe('664');
  });

  it("should give a new lock directory to its parent's owner", async () => {
    const { locker, instancesPath, locksPath, lockFile } = setUp({ locks: false });
    chownSync(instancesPath, owner, -1);
    await locker.acquire('base', AT_ONCE);
    expect(ownerAndMode(locksPath)).toEqual({ uid: owner, mode: '755' });
    expect(ownerAndMode(lockFile)).toEqual({ uid: owner, mode: '644' });
  });

  it('should leave the owner and mode of a lock file that exists', async () => {
    const { locker, locksPath, lockFile } = setUp();
    writeFileSync(lockFile, '');
    chmodSync(lockFile, 0o600);
    chownSync(locksPath, owner, -1);
    await locker.acquire('base', AT_ONCE);
    expect(ownerAndMode(lockFile)).toEqual({ uid: process.getuid?.(), mode: '600' });
  });
});

describe('file lock and descriptors', () => {
  it('should leave none open, whatever came of it', async () => {
    const { locker, locksPath, lockFile } = setUp();
    const holder = startLockHolder();
    await holder.ask(`lockf ${lockFile}`);
    symlinkSync('elsewhere', join(locksPath, 'nova-symlink'));
    (await locker.acquire('warm-up', AT_ONCE))?.release({ remove: true });
    const before = openDescriptors();
    for (let round = 0; round < 20; round++) {
      (await locker.acquire('free', AT_ONCE))?.release({ remove: round % 2 === 0 });
      await locker.acquire('base', AT_ONCE);
      await locker.acquire('symlink', AT_ONCE).catch(() => undefined);
      const stop = new AbortController();
      const waiting = locker.acquire('base', { timeoutSeconds: 1000, signal: stop.signal });
      stop.abort();
      await waiting;
    }
    expect(openDescriptors()).toEqual(before);
  });

  it('should hand none to a child process', async () => {
    const { locker, lockFile } = setUp();
    await locker.acquire('base', AT_ONCE);
    // Some of those that it lists may be closed before it looks at them, which makes it fail in the end.
    const descriptorsOf = (process: number | 'self') => spawnSync('ls', ['-l', `/proc/${process}/fd`], { encoding: 'utf8' }).stdout;
    expect(descriptorsOf(process.pid)).toContain(lockFile);
    expect(descriptorsOf('self')).not.toContain(lockFile);
  });

  it('should be kept by no child process after its release', async () => {
    const { locker, lockFile } = setUp();
    const lock = await locker.acquire('base', AT_ONCE);
    const child = startLockHolder();
    lock?.release({ remove: false });
    expect(await child.ask(`try ${lockFile}`)).toBe('held');
  });
});

describe('file lock among many', () => {
  it('should exclude others however often the lock file is removed and made again', async () => {
    const { locker, locksPath } = setUp();
    const inside = new Set<number>();
    let entered = 0;
    const worker = async (id: number) => {
      for (let round = 0; round < 25; round++) {
        const lock = await locker.acquire('base', PATIENTLY);
        inside.add(id);
        entered++;
        await new Promise((resolve) => setImmediate(resolve));
        expect([...inside]).toEqual([id]);
        inside.delete(id);
        lock?.release({ remove: true });
      }
    };
    await Promise.all([1, 2, 3, 4].map((id) => worker(id)));
    expect(entered).toBe(100);
    expect(readdirSync(locksPath)).toEqual([]);
  });
});
