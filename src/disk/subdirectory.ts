import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import type { OpenDirectory } from './held-directory.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';

/** Nobody but us has business in it. */
const OWN_MODE = 0o700;

/**
 * Opens a directory of ours below an open base directory, by its descriptor and without following a link. The descriptor is the
 * caller's; undefined where there is none and `create` is false.
 *
 * Throws an errno error: ELOOP or ENOTDIR for a symlink or a non-directory in its place, EXDEV where it is another file system:
 * a file could not be moved there and back at once.
 */
export function openSubdirectory(
  base: OpenDirectory,
  { basePath, name }: { readonly basePath: string; readonly name: string },
  { create }: { readonly create: boolean },
): number | undefined {
  const fd = base.at(name, (path) => openOrCreate(path, create));
  if (fd === undefined) return undefined;
  try {
    if (fstatSync(fd, { bigint: true }).dev !== base.self((path) => statSync(path, { bigint: true }).dev))
      throw errnoError('EXDEV', `'${basePath}/${name}' is another file system; unmount it there`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function openOrCreate(path: string, create: boolean): number | undefined {
  const open = () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return open();
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    if (!create) return undefined;
  }
  try {
    mkdirSync(path, OWN_MODE);
  } catch (error) {
    // Another agent on the same directory came first.
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return open();
}
