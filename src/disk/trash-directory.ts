import { linkSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { TRASH_DIRECTORY } from '../model/trash-names.ts';
import type { TrashDirectory } from '../model/ports.ts';
import { holdDirectory, type OpenDirectory } from './held-directory.ts';
import { errnoError, hasErrno } from '../lib/errors.ts';
import { openSubdirectory } from './subdirectory.ts';

/** Opens the trash below an open base directory. Throws as `openSubdirectory` does. */
export function openTrashDirectory(
  base: OpenDirectory,
  basePath: string,
  options: { readonly create: boolean },
): TrashDirectory | undefined {
  const fd = openSubdirectory(base, { basePath, name: TRASH_DIRECTORY }, options);
  return fd === undefined ? undefined : trashDirectory(base, fd, `${basePath}/${TRASH_DIRECTORY}`);
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
        // Names have the time in milliseconds, and anyone who moves this file here holds its lock: nobody takes the name in between.
        if (lstatSync(inTrash, { throwIfNoEntry: false }) !== undefined) throw errnoError('EEXIST', `'${trashPath}/${entry}' exists`);
        renameSync(inBase, inTrash);
      }),
    giveBack(entry, name) {
      let answer: 'done' | 'exists' = 'done';
      between(name, entry, (inBase, inTrash) => {
        try {
          // Never over another file, which a rename would be.
          linkSync(inTrash, inBase);
        } catch (error) {
          if (!hasErrno(error, 'EEXIST')) throw error;
          answer = 'exists';
        }
      });
      return answer;
    },
  };
}
