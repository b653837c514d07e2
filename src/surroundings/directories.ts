import { realpathSync, statSync, type BigIntStats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { readMountTable, strangerAt } from '../disk/mount-table.ts';

/** Nova's, below the instances path. */
const LOCKS = 'locks';

export interface DirectoryPaths {
  readonly instancesPath: string;
  /** `<instancesPath>/<subdirectoryName>`. */
  readonly basePath: string;
  readonly locksPath: string;
}

/**
 * Why the directory that files are removed from, or the one that locks are taken in, is not what the instances path has under these
 * names. Then removals would hit another directory, and locks would exclude nobody.
 */
export function strangeDirectories({ instancesPath, basePath, locksPath }: DirectoryPaths): string[] {
  return seen(instancesPath, () => [...mountedAt([basePath, join(instancesPath, LOCKS)]), ...strangeLocks(instancesPath, locksPath)]);
}

/** As `strangeDirectories`, of the lock directory alone: nothing is written into a stranger, be it a lock file or a report. */
export function strangeLockDirectory(paths: Omit<DirectoryPaths, 'basePath'>): string[] {
  return seen(paths.instancesPath, () => [
    ...mountedAt([join(paths.instancesPath, LOCKS)]),
    ...strangeLocks(paths.instancesPath, paths.locksPath),
  ]);
}

function seen(instancesPath: string, look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [`what is mounted below ${instancesPath} cannot be seen: ${messageOf(error)}`];
  }
}

function mountedAt(paths: readonly string[]): string[] {
  const mounts = readMountTable();
  return paths.flatMap((path) => {
    const real = realName(path);
    const root = real === undefined ? undefined : strangerAt(mounts, real);
    return root === undefined
      ? []
      : [`${path}: ${JSON.stringify(root)} is mounted there, another directory than the one of this name; ${REMEDY}`];
  });
}

const REMEDY = 'unmount it, mount the directory itself, or mount the whole file system that it is on';

/** Nova takes its locks in `locks` below the instances path, and nowhere else. */
function strangeLocks(instancesPath: string, locksPath: string): string[] {
  const novas = join(instancesPath, LOCKS);
  if (novas === locksPath) return [];
  const [ours, theirs] = [statOf(locksPath), statOf(novas)];
  if (ours === undefined && theirs === undefined) return [];
  if (ours?.dev === theirs?.dev && ours?.ino === theirs?.ino) return [];
  return [
    `${locksPath} is another directory than ${novas}, where Nova takes its locks; correct locksPath, or mount the same directory at both`,
  ];
}

function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The path without links above its last part; undefined where the directory above does not exist. A link in its own place is refused elsewhere. */
function realName(path: string): string | undefined {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
