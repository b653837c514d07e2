import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, constants, openSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type * as NodeFs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBaseDirectoryOpener } from '../../../src/disk/base-directory.ts';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { makeTree, openDescriptors, putFile, startLockHolder } from '../../helpers/execute-tree.ts';

/** What happens in the instant between looking at an entry and opening it, once. */
const meanwhile = vi.hoisted((): { happens: (() => void) | undefined; opened: string[] } => ({ happens: undefined, opened: [] }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof NodeFs>();
  return {
    ...real,
    openSync: (...args: Parameters<typeof NodeFs.openSync>) => {
      const { happens } = meanwhile;
      if (happens !== undefined && String(args[0]).startsWith('/proc/self/fd/')) {
        meanwhile.happens = undefined;
        happens();
      }
      const fd = real.openSync(...args);
      meanwhile.opened.push(real.readlinkSync(`/proc/self/fd/${fd}`));
      return fd;
    },
  };
});

beforeEach(() => {
  meanwhile.happens = undefined;
  meanwhile.opened = [];
});

describe('image lock in a race', () => {
  const setUp = () => {
    const { basePath, instancesPath } = makeTree();
    const path = join(basePath, 'base');
    putFile(path, Date.now());
    const directory = createBaseDirectoryOpener().open(basePath);
    onTestFinished(() => directory.close());
    const identity = directory.stat('base');
    if (identity === undefined) throw new Error('the file should exist');
    const attempt = () => directory.withImageLock('base', identity, () => expect.unreachable());
    return { attempt, path, instancesPath };
  };

  it('should report a file that is removed before it is opened as gone', () => {
    const { attempt, path } = setUp();
    meanwhile.happens = () => rmSync(path);
    expect(attempt()).toBe('gone');
  });

  it('should report a file that a symlink replaces before it is opened as changed, and not open what it leads to', () => {
    const { attempt, path, instancesPath } = setUp();
    const fifo = join(instancesPath, 'fifo');
    execFileSync('mkfifo', [fifo]);
    meanwhile.happens = () => {
      rmSync(path);
      symlinkSync(fifo, path);
    };
    expect(attempt()).toBe('changed');
    expect(meanwhile.opened).not.toContain(fifo);
  });

  it('should not even open a FIFO that stands there already', () => {
    const { attempt, path } = setUp();
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(attempt()).toBe('changed');
    expect(meanwhile.opened).not.toContain(path);
  });

  it('should report a file that another file replaces before it is opened as changed', () => {
    const { attempt, path } = setUp();
    meanwhile.happens = () => {
      writeFileSync(`${path}.new`, '');
      rmSync(path);
      execFileSync('mv', [`${path}.new`, path]);
    };
    expect(attempt()).toBe('changed');
  });

  it('should report a file that a FIFO replaces before it is opened as changed, and not wait for its reader', () => {
    const { attempt, path } = setUp();
    const before = openDescriptors();
    meanwhile.happens = () => {
      rmSync(path);
      execFileSync('mkfifo', [path]);
    };
    expect(attempt()).toBe('changed');
    expect(openDescriptors()).toEqual(before);
  });
});

describe('file lock in a race', () => {
  const setUp = () => {
    const { locksPath } = makeTree();
    return { locker: createFileLocker({ locksPath }), lockFile: join(locksPath, 'nova-base') };
  };

  it('should leave the owner and mode of a lock file alone that somebody else creates first', async () => {
    const { locker, lockFile } = setUp();
    meanwhile.happens = () => {
      writeFileSync(lockFile, '');
      chmodSync(lockFile, 0o600);
    };
    expect(await locker.acquire('base', { timeoutSeconds: 10 })).toBeDefined();
    expect(statSync(lockFile).mode & 0o777).toBe(0o600);
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('busy');
  });

  it('should make a lock file again that is removed before it is opened', async () => {
    const { locker, lockFile } = setUp();
    writeFileSync(lockFile, '');
    meanwhile.happens = () => rmSync(lockFile);
    expect(await locker.acquire('base', { timeoutSeconds: 10 })).toBeDefined();
    expect(await startLockHolder().ask(`try ${lockFile}`)).toBe('busy');
  });

  it('should open nothing that a symlink leads to which replaces the lock file before it is opened', async () => {
    const { locker, lockFile } = setUp();
    writeFileSync(lockFile, '');
    writeFileSync(`${lockFile}.elsewhere`, '');
    meanwhile.happens = () => {
      rmSync(lockFile);
      symlinkSync(`${lockFile}.elsewhere`, lockFile);
    };
    await expect(locker.acquire('base', { timeoutSeconds: 10 })).rejects.toThrow('ELOOP');
    expect(meanwhile.opened).not.toContain(`${lockFile}.elsewhere`);
  });

  it.each(['with a reader', 'without a reader'])(
    'should lock no FIFO %s that replaces the lock file before it is opened',
    async (reader) => {
      const { locker, lockFile } = setUp();
      writeFileSync(lockFile, '');
      const before = openDescriptors();
      let readerFd: number | undefined;
      meanwhile.happens = () => {
        rmSync(lockFile);
        execFileSync('mkfifo', [lockFile]);
        if (reader === 'with a reader') readerFd = openSync(lockFile, constants.O_RDWR | constants.O_NONBLOCK);
      };
      const refused = expect.objectContaining({ code: expect.stringMatching(/^(EINVAL|ENXIO)$/) });
      await expect(locker.acquire('base', { timeoutSeconds: 10 })).rejects.toEqual(refused);
      if (readerFd !== undefined) closeSync(readerFd);
      expect(openDescriptors()).toEqual(before);
    },
  );
});
