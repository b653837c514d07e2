import { posix } from 'node:path';

/** The path without `.`, `..`, doubled and trailing slashes; undefined for one that is not absolute. */
export function normalizeHostPath(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0')) return undefined;
  const normal = posix.normalize(path).replace(/^\/+/, '/');
  return normal.length > 1 ? normal.replace(/\/+$/, '') : normal;
}

/** True when `path` lies below `directory`. Both normalized. */
export function isBelow(path: string, directory: string): boolean {
  return path !== directory && path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** True when one path is the other, or a parent of it: through a mount of the one, files of the other can be reached. Both normalized. */
export function overlaps(path: string, other: string): boolean {
  return path === other || isBelow(path, other) || isBelow(other, path);
}
