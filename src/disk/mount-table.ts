import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { decodeRawName } from './raw-name.ts';

/** One line of `/proc/self/mountinfo`. */
export interface Mount {
  /** Of the file system: `major:minor`. */
  readonly device: string;
  /** What of the file system is mounted: `/` is all of it. */
  readonly root: string;
  readonly mountPoint: string;
  /** Such as `ext4`. */
  readonly type: string;
  /** Such as a device, or `server:/directory`. */
  readonly source: string;
  /** Of the file system, as the kernel prints them. */
  readonly options: string;
}

/** The mounts that this process sees. Throws an errno error. */
export function readMountTable(): readonly Mount[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo', 'latin1'));
}

/** Parses `/proc/self/mountinfo`, in Latin-1: one character for each byte. Later mounts lie over earlier ones; lines that are not understood are left out. */
export function parseMountTable(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, root, mountPoint] = before.split(' ');
    const [type, source = '', options = ''] = after.split(' ');
    if (device === undefined || root === undefined || mountPoint === undefined || type === undefined) return [];
    return [{ device, root: unescaped(root), mountPoint: unescaped(mountPoint), type, source: unescaped(source), options }];
  });
}

/** The kernel writes blanks, line ends and backslashes as three octal digits, and all other bytes as they are. */
function unescaped(path: string): string {
  return decodeRawName(path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))).text;
}

/**
 * What is mounted at `path` in the place of the directory that lies under this name, or undefined where that directory itself is there.
 * A whole file system is there for everybody on the host. A directory that was mounted may be another than the one that the host has
 * under this name: then there is a mount of the host's own beneath it that is the same, or it is the directory itself.
 *
 * @param path without symbolic links.
 */
export function strangerAt(mounts: readonly Mount[], path: string): string | undefined {
  const here = mounts.filter(({ mountPoint }) => mountPoint === path);
  const top = here.at(-1);
  if (top === undefined || isNetwork(top)) return undefined;
  const beneath = here.at(-2);
  const isThere = beneath === undefined ? isWholeFileSystem(top) : isSame(top, beneath);
  return isThere || isSame(top, nameIn(mounts, path)) ? undefined : top.root;
}

/** The mount that a directory is on: the uppermost one at the nearest mount point. `directory`: without symbolic links. */
export function mountOf(mounts: readonly Mount[], directory: string): Mount | undefined {
  const above = mounts.filter(({ mountPoint }) => mountPoint === '/' || directory === mountPoint || directory.startsWith(`${mountPoint}/`));
  const longest = Math.max(...above.map(({ mountPoint }) => mountPoint.length));
  return above.findLast(({ mountPoint }) => mountPoint.length === longest);
}

/** What lies at `path` where nothing is mounted over it. */
function nameIn(mounts: readonly Mount[], path: string): Pick<Mount, 'device' | 'root'> | undefined {
  const mount = mountOf(mounts, posix.dirname(path));
  if (mount === undefined) return undefined;
  return { device: mount.device, root: posix.join(mount.root, posix.relative(mount.mountPoint, path)) };
}

function isSame(one: Pick<Mount, 'device' | 'root'>, other: Pick<Mount, 'device' | 'root'> | undefined): boolean {
  return one.device === other?.device && one.root === other.root;
}

/** A subvolume of btrfs is as good as a file system, and its mount looks like that of a directory. */
function isWholeFileSystem({ root, type }: Mount): boolean {
  return root === '/' || type === 'btrfs';
}

/** NFS calls everything that it mounts `/`. */
function isNetwork({ type }: Mount): boolean {
  return type.startsWith('nfs');
}
