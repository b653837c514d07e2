import { lstatSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { readMountTable, type Mount } from '../disk/mount-table.ts';
import { TRASH_DIRECTORY } from '../model/trash-names.ts';
import { inodesOf } from './base-file-index.ts';
import type { OverlayListing } from './listing.ts';

/** What is mounted below the instances path and may lead to a base file by another name. */
export function noteMounts(listing: OverlayListing): void {
  const mounts = mountsBelow(listing.instancesPath);
  noteMountedFiles(listing, mounts);
  noteMountedFileSystems(listing, mounts);
}

/**
 * The files of a loop device lie in one file, which may be a base file. An overlayfs shows files of another directory, which may be `_base`,
 * under names and inodes of its own. Neither is asked where its files are: that may be a name of another mount namespace.
 */
function noteMountedFileSystems({ subdirectoryName, locks, unseen }: OverlayListing, mounts: readonly MountBelow[]): void {
  for (const { path, mountPoint, type, source } of mounts) {
    if (!mountPoint.isWellFormed())
      unseen.add(
        path,
        'NotFollowed',
        'the name of what is mounted here is not UTF-8, so it is not looked up; unmount it, or list it under ignore',
      );
    const isLoop = source.startsWith('/dev/loop');
    if ((type !== 'overlay' && !isLoop) || path === subdirectoryName || path === locks) continue;
    const what = isLoop
      ? 'a file system of a loop device, which may lie in a base file,'
      : 'an overlayfs, which may show base files under other names,';
    unseen.add(path, 'NotFollowed', `${what} is mounted here; unmount it, or list it under ignore if no base file is behind it`);
  }
}

/**
 * A base file, or a file in the trash, that is mounted below the instances path has a second name, which ends with the mount. Its link
 * count does not show that. A disk that names it by that name loses it with the next start of the host.
 */
function noteMountedFiles({ instancesPath, subdirectoryName, unseen }: OverlayListing, mounts: readonly MountBelow[]): void {
  const mounted = mounts.flatMap(({ path, mountPoint }) => {
    if (!mountPoint.isWellFormed()) return [];
    const stats = lstatSync(mountPoint, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() === true ? [{ path, inode: `${stats.dev} ${stats.ino}` }] : [];
  });
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

interface MountBelow extends Mount {
  /** Of the mount point, relative to the instances path. */
  readonly path: string;
}

/** None where the instances path or `/proc` is not there: then nothing can be opened either, and the scan says so. */
function mountsBelow(instancesPath: string): readonly MountBelow[] {
  try {
    const root = realpathSync.native(instancesPath);
    const below = readMountTable().filter(({ mountPoint }) => mountPoint.startsWith(`${root}/`));
    return below.map((mount) => ({ ...mount, path: posix.relative(root, mount.mountPoint) }));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
