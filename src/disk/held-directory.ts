import { closeSync, lutimesSync, unlinkSync } from 'node:fs';
import type { DirectoryEntries } from '../model/ports.ts';
import { errnoError, withReadablePath } from '../lib/errors.ts';
import { isEntryName } from './entry-name.ts';
import { statEntry } from './entry-stat.ts';
import { withImageLock } from './locks/image-lock.ts';

/** A directory that is held by descriptor. */
export interface OpenDirectory {
  readonly entries: DirectoryEntries;
  /** Runs `operation` with the path that reaches `name` through the descriptor. Throws EBADF after `close`, EINVAL for what is not a name. */
  readonly at: <T>(name: string, operation: (path: string) => T) => T;
  /** As `at`, for the directory itself. */
  readonly self: <T>(operation: (path: string) => T) => T;
}

/**
 * Every operation goes through `/proc/self/fd/<fd>/<name>`: whatever is renamed, unmounted or linked into the path afterwards,
 * the directory stays the one that was opened. `path` is for messages. The descriptor belongs to what is returned.
 */
export function holdDirectory(fd: number, path: string): OpenDirectory {
  const descriptorPath = `/proc/self/fd/${fd}`;
  let closed = false;
  const reach = <T>(reached: string, operation: (path: string) => T): T => {
    // A closed descriptor's number may stand for another directory by now.
    if (closed) throw errnoError('EBADF', `'${path}' is closed`);
    try {
      return operation(reached);
    } catch (error) {
      throw withReadablePath(error, descriptorPath, path);
    }
  };
  const at = <T>(name: string, operation: (path: string) => T): T => {
    if (!closed && !isEntryName(name)) throw errnoError('EINVAL', `'${name}' is not a file name`);
    return reach(`${descriptorPath}/${name}`, operation);
  };
  const entries: DirectoryEntries = {
    stat: (name) => at(name, statEntry),
    touch: (name, nowMs) => at(name, (reached) => lutimesSync(reached, nowMs / 1000, nowMs / 1000)),
    withImageLock: (name, identity, whileHeld) => at(name, (reached) => withImageLock(reached, identity, whileHeld)),
    unlink: (name) => at(name, unlinkSync),
    close() {
      if (closed) return;
      closed = true;
      closeSync(fd);
    },
  };
  return { entries, at, self: (operation) => reach(descriptorPath, operation) };
}
