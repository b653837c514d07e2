import { statfsSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** `f_type` of file systems that other hosts may change, from Linux' `magic.h` and the file systems' own sources. */
const NETWORK_FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x00c36400, 'ceph'],
  [0x65735546, 'fuse'],
  [0x0bd00bd0, 'lustre'],
  [0x7461636f, 'ocfs2'],
  [0x01161970, 'gfs2'],
  [0x47504653, 'gpfs'],
  [0x5346414f, 'afs'],
  [0x19830326, 'beegfs'],
]);

/** The name of the network file system that a directory is on; undefined for a local one, and where nothing answers. */
export function networkFilesystemOf(path: string): string | undefined {
  try {
    return NETWORK_FILESYSTEMS.get(statfsSync(path).type);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
