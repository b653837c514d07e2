import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type * as NodeFs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { makeTree } from '../../helpers/execute-tree.ts';

/** The directory that seems to be somebody else's, and what may be done anyway. */
const foreign = vi.hoisted(() => ({ path: '', allows: '' }));

/** Nothing can be given away: an agent without CAP_CHOWN beside Nova. */
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof NodeFs>();
  const fstatSync = (fd: number, options?: NodeFs.StatOptions & { bigint?: false }) => {
    const stats = real.fstatSync(fd, options);
    if (options === undefined && real.readlinkSync(`/proc/self/fd/${fd}`) === foreign.path) stats.uid += 1;
    return stats;
  };
  const refused = (call: string) => () => {
    if (foreign.allows !== call) throw Object.assign(new Error(`EPERM: operation not permitted, ${call}`), { code: 'EPERM' });
  };
  return { ...real, fstatSync, fchownSync: refused('fchown'), fchmodSync: refused('fchmod') };
});
afterEach(() => {
  foreign.allows = '';
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

  it('should rather create no lock directory than one that stays closed to Nova', async () => {
    const { instancesPath, locksPath } = makeTree({ locks: false });
    Object.assign(foreign, { path: instancesPath, allows: 'fchown' });
    await expect(createFileLocker({ locksPath }).acquire('base', { timeoutSeconds: 0 })).rejects.toMatchObject({ code: 'EPERM' });
    expect(existsSync(locksPath)).toBe(false);
  });
});
