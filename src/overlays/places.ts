import { lstatSync, readlinkSync, statfsSync, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Place } from './place.ts';

/** As Linux: more links than this are a circle (ELOOP). */
const MAX_LINKS = 40;
/** More answers than these are forgotten, and looked up again: hosts may name tens of thousands of files. */
const MOST_KNOWN = 8192;
/** `OVERLAYFS_SUPER_MAGIC`: the root of a container. */
const OVERLAYFS = 0x794c7630;

/**
 * Resolves paths as the host's processes would, component by component, through links, while the instances path is mounted here
 * under a name of its own. One scan long: what it knows of it is not looked up twice.
 */
export class Places {
  readonly #instancesPath: string;
  readonly #roots: readonly string[];
  readonly #known = new Map<string, Place>();
  readonly #links = new Map<string, string | undefined | Error>();
  readonly #containerDevice = deviceOfContainer();

  /** @param roots absolute and normalized paths by which the host names the instances path; the first is its proper one. */
  constructor(instancesPath: string, roots: readonly string[]) {
    this.#instancesPath = instancesPath;
    this.#roots = roots;
  }

  /** The proper host path of a path relative to the instances path. */
  hostPath(relative: string): string {
    return posix.join(this.#roots[0] ?? '/', relative);
  }

  /** @param absolute as the host spells it. */
  resolve(absolute: string): Place {
    const known = this.#known.get(absolute);
    if (known !== undefined) return known;
    const place = this.#walk(absolute.split('/'));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(absolute, place);
    return place;
  }

  /** What lstat says of a file outside; undefined where the host's file of that name cannot be looked at from here. */
  statOutside(path: string): BigIntStats | undefined {
    try {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined || stats.dev === this.#containerDevice ? undefined : stats;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  #walk(components: readonly string[]): Place {
    const open = components.toReversed();
    let path = '/';
    let links = 0;
    for (let component = open.pop(); component !== undefined; component = open.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') {
        path = posix.dirname(path);
        continue;
      }
      const next = path === '/' ? `/${component}` : `${path}/${component}`;
      const target = this.#linkAt(next);
      if (target instanceof Error) return { kind: 'lost', message: `${JSON.stringify(next)} could not be looked at: ${messageOf(target)}` };
      if (target === undefined) {
        path = next;
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) return { kind: 'lost', message: `${JSON.stringify(next)} leads through too many symbolic links` };
      if (target.startsWith('/')) path = '/';
      open.push(...target.split('/').toReversed());
    }
    return this.#placeOf(path);
  }

  #placeOf(path: string): Place {
    const inside = this.#insidePath(path);
    if (inside !== undefined) return { kind: 'inside', path: inside };
    return { kind: 'outside', path, seen: this.statOutside(path) !== undefined };
  }

  /** Relative to the instances path; undefined for what does not lie below it. */
  #insidePath(path: string): string | undefined {
    for (const root of this.#roots) {
      const prefix = root.endsWith('/') ? root : `${root}/`;
      if (path.startsWith(prefix)) return path.slice(prefix.length);
    }
    return undefined;
  }

  /** The target of the link at a host path; undefined for what is not a link, or is not there. A name of the instances path is what it stands for. */
  #linkAt(path: string): string | undefined | Error {
    if (this.#links.has(path)) return this.#links.get(path);
    // A name in other bytes than UTF-8 comes from the walk, which enters no link.
    const target = this.#roots.includes(path) || !path.isWellFormed() ? undefined : this.#readLink(path);
    if (this.#links.size >= MOST_KNOWN) this.#links.clear();
    this.#links.set(path, target);
    return target;
  }

  #readLink(path: string): string | undefined | Error {
    const inside = this.#insidePath(path);
    try {
      if (inside === undefined) return this.statOutside(path)?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
      const here = posix.join(this.#instancesPath, inside);
      return lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(here) : undefined;
    } catch (error) {
      if (!(error instanceof Error) || errnoOf(error) === undefined) throw error;
      return errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ENAMETOOLONG' ? undefined : error;
    }
  }
}

/** The device of `/` where that is a container's: a file there has the host's name, and is another. */
function deviceOfContainer(): bigint | undefined {
  try {
    return statfsSync('/').type === OVERLAYFS ? lstatSync('/', { bigint: true }).dev : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
