import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { TRASH_DIRECTORY } from '../lib/trash-names.ts';
import type { TrashDirectory } from '../model/ports.ts';
import { holdDirectory, type OpenDirectory } from './directory-entries.ts';
import { errnoError, hasErrno } from './errno.ts';

/** Nobody but us has business in it. */
const TRASH_MODE = 0o700;

/**
 * Opens the trash below an open base directory, by its descriptor and without following a link.
 *
 * Throws an errno error: ELOOP or ENOTDIR for a symlink or no directory in its place, EXDEV where it is another file system:
 * a file could not be moved there and back at once.
 */
export function openTrashDirectory(
  base: OpenDirectory,
  basePath: string,
  { create }: { readonly create: boolean },
): TrashDirectory | undefined {
  const fd = base.at(TRASH_DIRECTORY, (path) => openOrCreate(path, create));
  if (fd === undefined) return undefined;
  try {
    if (fstatSync(fd, { bigint: true }).dev !== base.self((path) => statSync(path, { bigint: true }).dev))
      throw errnoError('EXDEV', `'${basePath}/${TRASH_DIRECTORY}' is another file system; unmount it there`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return trashDirectory(base, fd, `${basePath}/${TRASH_DIRECTORY}`);
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
    mkdirSync(path, TRASH_MODE);
  } catch (error) {
    // Another agent on the same directory came first.
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return open();
}

function trashDirectory(base: OpenDirectory, fd: number, trashPath: string): TrashDirectory {
  const trash = holdDirectory(fd, trashPath);
  /** Two names in one call: an error names the path that people can read. */
  const between = (name: string, entry: string, operation: (inBase: string, inTrash: string) => void) =>
    base.at(name, (inBase) => trash.at(entry, (inTrash) => operation(inBase, inTrash)));
  return {
    ...trash.entries,
    list: () => trash.self((path) => readdirSync(path)),
    take: (name, entry) =>
      between(name, entry, (inBase, inTrash) => {
        // Names have the time in milliseconds, and whoever moves this file here holds its lock: nobody takes the name in between.
        if (lstatSync(inTrash, { throwIfNoEntry: false }) !== undefined) throw errnoError('EEXIST', `'${trashPath}/${entry}' exists`);
        renameSync(inBase, inTrash);
      }),
    giveBack(entry, name) {
      let answer: 'done' | 'exists' = 'done';
      between(name, entry, (inBase, inTrash) => {
        try {
          // Never over another file, which a rename would be; a crash in between leaves two names of one file.
          linkSync(inTrash, inBase);
          unlinkSync(inTrash);
        } catch (error) {
          if (!hasErrno(error, 'EEXIST')) throw error;
          answer = 'exists';
        }
      });
      return answer;
    },
  };
}
