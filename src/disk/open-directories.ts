import { lstatSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

const OTHERS_MAY_WRITE = 0o002;

/** Those of the directories that every user of the node may write to, sticky or not. One that cannot be looked at is another condition's business. */
export function directoriesOpenToAll(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => {
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats?.isDirectory() === true && (stats.mode & OTHERS_MAY_WRITE) !== 0;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  });
}
