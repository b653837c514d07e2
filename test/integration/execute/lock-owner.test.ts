import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type * as NodeFs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { createFileLocker } from '../../../src/execute/file-lock.ts';
import { makeTree } from '../../helpers/execute-tree.ts';

/** The directory that seems to be somebody else's. */
const foreign = vi.hoisted(() => ({ path: '' }));

/** Nothing can be given away: an agent without CAP_CHOWN beside Nova. */
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof NodeFs>();
  const fstatSync = (fd: number, options?: NodeFs.StatOptions & { bigint?: false }) => {
    const stats = real.fstatSync(fd, options);
    if (options === undefined && real.readlinkSync(`/proc/self/fd/${fd}`) === foreign.path) stats.uid += 1;
    return stats;
  };
  const fchownSync = () => {
    throw Object.assign(new Error('EPERM: operation not permitted, fchown'), { code: 'EPERM' });
  };
  return { ...real, fstatSync, fchownSync };
});

describe('file lock without the right to give files away', () => {
  it('should let everybody open a new lock file: else it would lock Nova out for good', async () => {
    const { locksPath } = makeTree();
    foreign.path = locksPath;
    expect(await createFileLocker({ locksPath }).acquire('base', { timeoutSeconds: 0 })).toBeDefined();
    expect(statSync(join(locksPath, 'nova-base')).mode & 0o777).toBe(0o666);
  });

  it('should rather create no lock directory than one that Nova cannot write to', async () => {
    const { instancesPath, locksPath } = makeTree({ locks: false });
    foreign.path = instancesPath;
    const attempt = createFileLocker({ locksPath }).acquire('base', { timeoutSeconds: 0 });
    await expect(attempt).rejects.toMatchObject({ code: 'EPERM', message: expect.stringContaining(locksPath) });
    expect(existsSync(locksPath)).toBe(false);
  });
});
