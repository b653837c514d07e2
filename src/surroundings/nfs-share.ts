import { readFileSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { MOUNT_TABLE } from './directories.ts';
import { parseMountTable, type Mount } from '../disk/mount-table.ts';

/** Where a directory lies on an NFS server. */
export interface NfsShare {
  /** The server by the name that it was mounted by, and by its address; in lower case. */
  readonly servers: readonly string[];
  readonly path: string;
}

/** Where the directory lies on an NFS server, as this process has it mounted; undefined where it does not. */
export function nfsShareOf(directory: string): NfsShare | undefined {
  try {
    return shareIn(parseMountTable(readFileSync(MOUNT_TABLE, 'utf8')), realpathSync.native(directory));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** @param directory without symbolic links. */
export function shareIn(mounts: readonly Mount[], directory: string): NfsShare | undefined {
  const isAbove = ({ mountPoint }: Mount): boolean =>
    mountPoint === '/' || directory === mountPoint || directory.startsWith(`${mountPoint}/`);
  const above = mounts.filter(isAbove);
  const longest = Math.max(...above.map(({ mountPoint }) => mountPoint.length));
  const mount = above.findLast(({ mountPoint }) => mountPoint.length === longest);
  // An IPv6 address has brackets; the directory begins with the first slash.
  const [, server, exported] = /^\[?([^/]+?)\]?:(\/.*)$/.exec(mount?.source ?? '') ?? [];
  if (mount?.type.startsWith('nfs') !== true || server === undefined || exported === undefined) return undefined;
  const address = /(?:^|,)addr=([^,]+)/.exec(mount.options)?.[1];
  return {
    servers: [...new Set([server, address ?? server].map((name) => name.toLowerCase()))],
    path: posix.join(exported, mount.root, posix.relative(mount.mountPoint, directory)).replace(/(?<=.)\/$/, ''),
  };
}
