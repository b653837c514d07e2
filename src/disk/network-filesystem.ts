import { statfsSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import type { FsPath } from './raw-name.ts';

/** `statfs(2)`'s types of file systems that several hosts can have mounted at the same time. */
const SHARED_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x65735546, 'FUSE, such as GlusterFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x5346414f, 'AFS'],
]);

/** Local file systems on which a directory's ctime changes with every name in it, and with the directory's own name. */
const TRACING_TYPES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x01021994, 'tmpfs'],
]);

/** The name of a file system's type where several hosts can have it mounted. */
export function sharedTypeName(type: number): string | undefined {
  return SHARED_TYPES.get(unsigned(type));
}

/** Whether a directory of such a file system that has the same ctime has the same names. */
export function tracesNames(type: number): boolean {
  return TRACING_TYPES.has(unsigned(type));
}

/** As `tracesNames`, of the file system that a directory is on. False where nothing answers. */
export function tracesNamesAt(path: FsPath): boolean {
  const type = typeAt(path);
  return type !== undefined && tracesNames(type);
}

/** Some kernels extend the sign of the 32 bits. */
function unsigned(type: number): number {
  return Number(BigInt.asUintN(32, BigInt(type)));
}

/** The name of the network file system that a directory is on; undefined for a local one, and where nothing answers. */
export function networkFilesystemOf(path: string): string | undefined {
  const type = typeAt(path);
  return type === undefined ? undefined : sharedTypeName(type);
}

function typeAt(path: FsPath): number | undefined {
  try {
    return statfsSync(path).type;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
