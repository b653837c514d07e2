import { existsSync, lutimesSync, readdirSync, rmSync, statSync } from 'node:fs';
import type * as NodeFs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createBaseDirectoryOpener } from '../../../src/disk/base-directory.ts';
import { createFileLocker } from '../../../src/disk/locks/nova-lock.ts';
import { createExecutor } from '../../../src/execute/executor.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { TRASH_DIRECTORY } from '../../../src/model/trash-names.ts';
import { baseName, DAY_MS, executionPolicy, nobody, plannedFile, planOf } from '../../helpers/execute-plans.ts';
import { makeTree, putFile } from '../../helpers/execute-tree.ts';

/** What happens in the instant before a file is moved, once. */
const meanwhile = vi.hoisted((): { happens: (() => void) | undefined } => ({ happens: undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof NodeFs>();
  return {
    ...real,
    renameSync: (...args: Parameters<typeof NodeFs.renameSync>) => {
      const { happens } = meanwhile;
      meanwhile.happens = undefined;
      happens?.();
      real.renameSync(...args);
    },
  };
});

beforeEach(() => {
  meanwhile.happens = undefined;
});

const NAME = baseName('image-1');

/** Files that go to the trash, on disk, with the real lock. */
function setUp(liveUseCheck: boolean) {
  const { basePath, locksPath } = makeTree();
  const path = join(basePath, NAME);
  putFile(path, Date.now() - 2 * DAY_MS);
  // A trash that is made anew is renamed into its place.
  putFile(join(basePath, baseName('image-2')), Date.now() - 2 * DAY_MS);
  const policy = { ...executionPolicy, liveUseCheck, trash: { enabled: true, graceSeconds: 3600 } };
  const executor = createExecutor({
    locker: createFileLocker({ locksPath }),
    directories: createBaseDirectoryOpener(),
    clock: systemClock,
    policy,
  });
  const remove = async (name: string) => {
    const { dev, ino, mtimeNs } = statSync(join(basePath, name), { bigint: true });
    const identity = { device: String(dev), inode: String(ino), modifiedAtNs: String(mtimeNs) };
    const { outcomes } = await executor.execute(planOf(basePath, [plannedFile(name, 'remove', identity)]), nobody);
    return outcomes.get(name)?.outcome;
  };
  return { path, remove, trashed: () => readdirSync(join(basePath, TRASH_DIRECTORY)) };
}

describe('a move to the trash while a writer, who takes no lock, comes for the file', () => {
  it.each([true, false])('should be taken back where the file was touched just before (live-use check: %s)', async (liveUseCheck) => {
    const { path, remove, trashed } = setUp(liveUseCheck);
    expect(await remove(baseName('image-2'))).toBe('trashed');
    const inode = statSync(path).ino;
    // As Nova does between the fetch and the disk.
    meanwhile.happens = () => lutimesSync(path, Date.now() / 1000, Date.now() / 1000);
    expect(await remove(NAME)).toBe('ChangedSincePlan');
    expect([statSync(path).ino, trashed().length]).toEqual([inode, 1]);
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  });

  it('should be taken back where another file took its name just before', async () => {
    const { path, remove, trashed } = setUp(false);
    expect(await remove(baseName('image-2'))).toBe('trashed');
    meanwhile.happens = () => {
      rmSync(path);
      putFile(path, Date.now() - 2 * DAY_MS, 'another image');
    };
    expect(await remove(NAME)).toBe('ChangedSincePlan');
    expect([existsSync(path), trashed().length]).toEqual([true, 1]);
  });
});
