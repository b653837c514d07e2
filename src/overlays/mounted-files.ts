import { lstatSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { readMountTable } from '../disk/mount-table.ts';
import { TRASH_DIRECTORY } from '../model/trash-names.ts';
import { inodesOf } from './base-file-index.ts';
import type { OverlayListing } from './listing.ts';

/**
 * A base file, or a file in the trash, that is mounted below the instances path has a second name, which ends with the mount. Its link
 * count does not show that. A disk that names it by that name loses it with the next start of the host.
 */
export function noteMountedFiles({ instancesPath, subdirectoryName, unseen }: OverlayListing): void {
  const mounted = filesMountedBelow(instancesPath);
  if (mounted.length === 0) return;
  const basePath = posix.join(instancesPath, subdirectoryName);
  const names = new Map([...inodesOf(posix.join(basePath, TRASH_DIRECTORY)), ...inodesOf(basePath)]);
  for (const { path, inode } of mounted) {
    const name = names.get(inode);
    if (name === undefined) continue;
    const message = `the base file ${JSON.stringify(name)} is mounted here under another name, by which a disk may use it; unmount it, or list it under ignore`;
    unseen.add(path, 'NotFollowed', message);
  }
}

/** None where the instances path or `/proc` is not there: then nothing can be opened either, and the scan says so. */
function filesMountedBelow(instancesPath: string): { path: string; inode: string }[] {
  try {
    const root = realpathSync.native(instancesPath);
    return readMountTable().flatMap(({ mountPoint }) => {
      if (!mountPoint.startsWith(`${root}/`)) return [];
      const stats = lstatSync(mountPoint, { bigint: true, throwIfNoEntry: false });
      return stats?.isFile() === true ? [{ path: posix.relative(root, mountPoint), inode: `${stats.dev} ${stats.ino}` }] : [];
    });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
