import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoError, hasErrno } from '../lib/errors.ts';

/** UTF-8 text of a regular file, and how many names the file has: none where it was replaced and only a mount still shows it. */
export interface SmallFile {
  readonly text: string;
  readonly links: number;
}

/**
 * Reads a file that somebody else may have put there: follows no symlink, opens nothing but a regular file, and reads no more than
 * `maximumBytes`. Undefined where there is none.
 *
 * @throws an errno error; EFBIG for a longer file, EINVAL for what is no regular file or no UTF-8.
 */
export function readSmallFile(path: string, maximumBytes: number): SmallFile | undefined {
  return withFile(path, (fd) => {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw errnoError('EINVAL', `${path} is no regular file`);
    if (stats.size > maximumBytes) throw errnoError('EFBIG', `${path} is larger than ${maximumBytes} bytes`);
    return { text: decode(path, readFileSync(fd)), links: stats.nlink };
  });
}

/**
 * Another text after each change of the file. It is opened for that, because only then NFS asks the server anew. Undefined where there
 * is none; throws an errno error.
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
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
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

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw errnoError('EINVAL', `${path} is no UTF-8`, error);
  }
}
