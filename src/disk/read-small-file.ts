import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { errnoError, hasErrno } from '../lib/errors.ts';
import type { Provenance } from '../model/filesystem.ts';

/** UTF-8 text of a regular file. */
export interface SmallFile extends Provenance {
  readonly text: string;
}

/**
 * Reads a file that somebody else may have put there: follows no symlink, opens nothing but a regular file, and reads no more than
 * `maximumBytes`. Undefined where there is none.
 *
 * @throws an errno error; EFBIG for a longer file, EINVAL for what is not a regular file or not UTF-8.
 */
export function readSmallFile(path: string, maximumBytes: number): SmallFile | undefined {
  return withFile(path, (fd) => readOpenFile(fd, path, maximumBytes));
}

/** As `readSmallFile`, for a file that is open; `path` is for messages. */
export function readOpenFile(fd: number, path: string, maximumBytes: number): SmallFile {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw errnoError('EINVAL', `${path} is not a regular file`);
  if (stats.size > maximumBytes) throw errnoError('EFBIG', `${path} is larger than ${maximumBytes} bytes`);
  return { text: decode(path, readFileSync(fd)), ...provenanceOf(stats) };
}

export function provenanceOf({ uid, mode, dev, nlink }: Stats): Provenance {
  return { uid, mode, device: dev, links: nlink };
}

/**
 * Another text after each change of the file. It is opened for that, because only then NFS asks the server again. Undefined where there is
 * no file; throws an errno error.
 */
export function fileVersion(path: string): string | undefined {
  return withFile(path, (fd) => {
    const { dev, ino, nlink, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true });
    return [dev, ino, nlink, size, mtimeNs, ctimeNs].join(' ');
  });
}

function withFile<T>(path: string, use: (fd: number) => T): T | undefined {
  let fd: number;
  try {
    fd = openUnnoticed(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Leaves the time of its last access alone, where we may: only the owner and root can ask for that. */
function openUnnoticed(path: string): number {
  try {
    return openSync(path, FLAGS | constants.O_NOATIME);
  } catch (error) {
    if (!hasErrno(error, 'EPERM')) throw error;
    return openSync(path, FLAGS);
  }
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw errnoError('EINVAL', `${path} is not UTF-8`, error);
  }
}
