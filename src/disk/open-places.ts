import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { withReadablePath } from '../lib/errors.ts';
import { provenanceOf } from './read-small-file.ts';
import type { Provenance } from '../model/filesystem.ts';

/** A directory that is open, the path that reaches it whatever is renamed or linked meanwhile, and whose it is. */
export interface Place extends Provenance {
  readonly path: string;
}

/**
 * Runs `use` with the instances path and the lock directory open. Only the instances path may be a symbolic link: anyone who configured it
 * means its target. A lock directory below it is opened from there. Throws an errno error, whose message has the paths that people know.
 */
export function withPlaces<T>(
  { instancesPath, locksPath }: { readonly instancesPath: string; readonly locksPath: string },
  use: (instances: Place, locks: Place) => T,
): T {
  return withPlace(instancesPath, instancesPath, 0, (instances) => {
    const below = relative(instancesPath, locksPath);
    const isBelow = below !== '' && !isAbsolute(below) && !below.startsWith('..');
    const reached = isBelow ? `${instances.path}/${below}` : locksPath;
    return withPlace(reached, locksPath, constants.O_NOFOLLOW, (locks) => use(instances, locks));
  });
}

function withPlace<T>(reached: string, path: string, flags: number, use: (place: Place) => T): T {
  const fd = openSync(reached, constants.O_RDONLY | constants.O_DIRECTORY | flags);
  const descriptorPath = `/proc/self/fd/${fd}`;
  try {
    return use({ path: descriptorPath, ...provenanceOf(fstatSync(fd)) });
  } catch (error) {
    throw withReadablePath(error, descriptorPath, path);
  } finally {
    closeSync(fd);
  }
}
