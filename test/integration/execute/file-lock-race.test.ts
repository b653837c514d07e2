import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as Extensions from 'fs-native-extensions';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { makeTree, openDescriptors, startLockHolder } from '../../helpers/execute-tree.ts';

/** What happens in the instant between opening the lock file and locking it, once. */
const meanwhile = vi.hoisted((): { happens: (() => void) | undefined } => ({ happens: undefined }));

vi.mock('fs-native-extensions', async (importOriginal) => {
  const real = await importOriginal<typeof Extensions>();
  return {
    ...real,
    tryLock: (...args: Parameters<typeof Extensions.tryLock>) => {
      const { happens } = meanwhile;
      meanwhile.happens = undefined;
      happens?.();
      return real.tryLock(...args);
    },
  };
});

describe('file lock in a race', () => {
  beforeEach(() => {
    meanwhile.happens = undefined;
  });

  it('should not take the lock of a file that Nova removed and made again between open and lock', async () => {
    const { locksPath } = makeTree();
    const lockFile = join(locksPath, 'nova-base');
    const locker = createFileLocker({ locksPath });
    meanwhile.happens = () => {
      rmSync(lockFile);
      writeFileSync(lockFile, '');
    };
    expect(await locker.acquire('base', { timeoutSeconds: 10 })).toBeDefined();
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('busy');
  });

  it('should not take the lock of a file that was removed between open and lock', async () => {
    const { locksPath } = makeTree();
    const lockFile = join(locksPath, 'nova-base');
    meanwhile.happens = () => rmSync(lockFile);
    expect(await createFileLocker({ locksPath }).acquire('base', { timeoutSeconds: 10 })).toBeDefined();
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('busy');
  });

  it('should not take a lock in a directory that was replaced between open and lock', async () => {
    const { locksPath } = makeTree({ locks: false });
    const { locksPath: other } = makeTree();
    const locker = createFileLocker({ locksPath });
    meanwhile.happens = () => {
      renameSync(locksPath, `${locksPath}.old`);
      renameSync(other, locksPath);
    };
    expect(await locker.acquire('base', { timeoutSeconds: 10 })).toBeDefined();
    expect(await startLockHolder().ask(`try ${join(locksPath, 'nova-base')}`)).toBe('busy');
  });

  it('should report a race that it has no time left to repeat as busy, with no descriptor left', async () => {
    const { locksPath } = makeTree();
    const locker = createFileLocker({ locksPath });
    const before = openDescriptors();
    meanwhile.happens = () => rmSync(join(locksPath, 'nova-base'));
    expect(await locker.acquire('base', { timeoutSeconds: 0 })).toBeUndefined();
    expect(openDescriptors()).toEqual(before);
  });

  it('should report a file system that knows no record locks, with no descriptor left', async () => {
    const { locksPath } = makeTree();
    const locker = createFileLocker({ locksPath });
    const before = openDescriptors();
    meanwhile.happens = () => {
      throw Object.assign(new Error('no locks available'), { code: 'ENOLCK' });
    };
    await expect(locker.acquire('base', { timeoutSeconds: 10 })).rejects.toMatchObject({ code: 'ENOLCK' });
    expect(openDescriptors()).toEqual(before);
  });
});
