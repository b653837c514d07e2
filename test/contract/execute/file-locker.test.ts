import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import type { FileLocker } from '../../../src/model/ports.ts';
import { makeTree } from '../../helpers/execute-tree.ts';
import { MemoryLocker } from '../../helpers/memory-execute.ts';

interface Subject {
  readonly locker: FileLocker;
  /** Another locker over the same lock files: somebody else. */
  readonly other: FileLocker;
  readonly hasLockFile: (fileName: string) => boolean;
}

function inMemory(): Subject {
  const locker = new MemoryLocker();
  return { locker, other: locker, hasLockFile: (fileName) => locker.lockFiles.has(fileName) };
}

function onDisk(): Subject {
  const { locksPath } = makeTree();
  return {
    locker: createFileLocker({ locksPath }),
    other: createFileLocker({ locksPath }),
    hasLockFile: (fileName) => existsSync(join(locksPath, `nova-${fileName}`)),
  };
}

const AT_ONCE = { timeoutSeconds: 0 };

describe.each(Object.entries({ 'the twin in memory': inMemory, 'record locks on disk': onDisk }))('FileLocker: %s', (_, setUp) => {
  it('should take a free lock and say how long it waited', async () => {
    const { locker, hasLockFile } = setUp();
    const lock = await locker.acquire('base', AT_ONCE);
    expect(lock?.waitedSeconds).toBeGreaterThanOrEqual(0);
    expect(hasLockFile('base')).toBe(true);
  });

  it('should keep the lock file when it is released without remove', async () => {
    const { locker, hasLockFile } = setUp();
    (await locker.acquire('base', AT_ONCE))?.release({ remove: false });
    expect(hasLockFile('base')).toBe(true);
  });

  it('should remove the lock file when it is released with remove, and only that one', async () => {
    const { locker, hasLockFile } = setUp();
    (await locker.acquire('neighbour', AT_ONCE))?.release({ remove: false });
    (await locker.acquire('base', AT_ONCE))?.release({ remove: true });
    expect(hasLockFile('base')).toBe(false);
    expect(hasLockFile('neighbour')).toBe(true);
  });

  it('should refuse a lock that somebody else holds, and give it after its release', async () => {
    const { locker, other } = setUp();
    const held = await other.acquire('base', AT_ONCE);
    expect(await locker.acquire('base', AT_ONCE)).toBeUndefined();
    held?.release({ remove: false });
    expect(await locker.acquire('base', AT_ONCE)).toBeDefined();
  });

  it('should give the locks of different files independently', async () => {
    const { locker, other } = setUp();
    await other.acquire('base', AT_ONCE);
    expect(await locker.acquire('neighbour', AT_ONCE)).toBeDefined();
  });

  it('should wait for a holder that releases in time', async () => {
    const { locker, other } = setUp();
    const held = await other.acquire('base', AT_ONCE);
    const waiting = locker.acquire('base', { timeoutSeconds: 10 });
    held?.release({ remove: false });
    expect(await waiting).toBeDefined();
  });

  it('should wait for a holder that removes the lock file, and exclude others then', async () => {
    const { locker, other } = setUp();
    const held = await other.acquire('base', AT_ONCE);
    const waiting = locker.acquire('base', { timeoutSeconds: 10 });
    held?.release({ remove: true });
    expect(await waiting).toBeDefined();
    expect(await other.acquire('base', AT_ONCE)).toBeUndefined();
  });

  it('should give up after its timeout', async () => {
    const { locker, other } = setUp();
    await other.acquire('base', AT_ONCE);
    expect(await locker.acquire('base', { timeoutSeconds: 0.05 })).toBeUndefined();
  });

  it('should stop waiting when it is told to, and hold nothing later', async () => {
    const { locker, other } = setUp();
    const held = await other.acquire('base', AT_ONCE);
    const stop = new AbortController();
    const waiting = locker.acquire('base', { timeoutSeconds: 1000, signal: stop.signal });
    stop.abort();
    expect(await waiting).toBeUndefined();
    held?.release({ remove: false });
    expect(await other.acquire('base', AT_ONCE)).toBeDefined();
  });

  it('should take nothing and create nothing when it was told to stop before', async () => {
    const { locker, hasLockFile } = setUp();
    expect(await locker.acquire('base', { timeoutSeconds: 1, signal: AbortSignal.abort() })).toBeUndefined();
    expect(hasLockFile('base')).toBe(false);
  });

  it('should leave the next holder alone when it is released twice', async () => {
    const { locker, other, hasLockFile } = setUp();
    const first = await locker.acquire('base', AT_ONCE);
    first?.release({ remove: false });
    await other.acquire('base', AT_ONCE);
    first?.release({ remove: true });
    expect(await locker.acquire('base', AT_ONCE)).toBeUndefined();
    expect(hasLockFile('base')).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', '../base', 'a\0b'])('should refuse %j, which is not a file name', async (name) => {
    const { locker } = setUp();
    await expect(locker.acquire(name, AT_ONCE)).rejects.toMatchObject({ code: 'EINVAL' });
  });
});
