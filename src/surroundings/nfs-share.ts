import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { mountOf, readMountTable, type Mount } from '../disk/mount-table.ts';
import type { NfsShare } from '../model/filesystem.ts';

/** Where the directory lies on an NFS server, as this process has it mounted; undefined where it does not. */
export function nfsShareOf(directory: string): NfsShare | undefined {
  try {
    return shareIn(readMountTable(), realpathSync.native(directory));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** @param directory without symbolic links. */
export function shareIn(mounts: readonly Mount[], directory: string): NfsShare | undefined {
  const mount = mountOf(mounts, directory);
  // An IPv6 address has brackets; the directory begins with the first slash.
  const [, server, exported] = /^\[?([^/]+?)\]?:(\/.*)$/.exec(mount?.source ?? '') ?? [];
  if (mount?.type.startsWith('nfs') !== true || server === undefined || exported === undefined) return undefined;
  const address = /(?:^|,)addr=([^,]+)/.exec(mount.options)?.[1];
  return {
    servers: [...new Set([server, address ?? server].map((name) => name.toLowerCase()))],
    path: posix.join(exported, mount.root, posix.relative(mount.mountPoint, directory)).replace(/(?<=.)\/$/, ''),
  };
}
