import { constants, openSync, statfsSync } from 'node:fs';
import type { BaseDirectory, BaseDirectoryOpener } from '../model/ports.ts';
import { holdDirectory } from './held-directory.ts';
import { openTrashDirectory } from './trash-directory.ts';

/**
 * Opens base directories by descriptor.
 *
 * Throws an errno error: ENOENT when there is none, ENOTDIR or ELOOP when it is a symlink or not a directory.
 */
export function createBaseDirectoryOpener(): BaseDirectoryOpener {
  return {
    open(basePath) {
      const fd = openSync(basePath, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      return baseDirectory(fd, basePath);
    },
  };
}

function baseDirectory(fd: number, basePath: string): BaseDirectory {
  const base = holdDirectory(fd, basePath);
  return {
    ...base.entries,
    openTrash: (options) => openTrashDirectory(base, basePath, options),
    usage: () =>
      base.self((path) => {
        const { frsize, blocks, bavail } = statfsSync(path);
        return { sizeBytes: blocks * frsize, availableBytes: bavail * frsize };
      }),
  };
}
