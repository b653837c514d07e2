import { lstatSync, readlinkSync, statfsSync, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, messageOf } from '../lib/errors.ts';
import type { Place } from './place.ts';

/** As Linux: more links than this are a circle (ELOOP). */
const MAX_LINKS = 40;
/** More answers than these are forgotten, and looked up again: hosts may name tens of thousands of files. */
const MOST_KNOWN = 8192;
const MOST_DIRECTORIES = 256;
/** What lies there is another for each process: `/proc/self/cwd` and `/dev/fd/3` are ours here, and QEMU's for QEMU. */
const PROC = '/proc';
const OF_A_PROCESS = 'a name leads through /proc, where each process finds other files';
/** `OVERLAYFS_SUPER_MAGIC`: the root of a container. */
const OVERLAYFS = 0x794c7630;

/**
 * Resolves paths as the host's processes would, component by component, through links, while the instances path is mounted here
 * under a name of its own. One scan long: what it knows of it is not looked up twice.
 */
export class Places {
  /** Both end with a slash. */
  readonly #here: string;
  readonly #host: string;
  readonly #roots: readonly string[];
  readonly #isBelowProc: boolean;
  readonly #known = new Map<string, Place>();
  /** Directories, each by how it is written: nearly all disks name a file in one. */
  readonly #directories = new Map<string, Walked | Lost>();
  readonly #links = new Map<string, string | undefined | Error>();
  readonly #containerDevice = deviceOfContainer();

  /** @param roots absolute and normalized paths by which the host names the instances path; the first is its proper one. */
  constructor(instancesPath: string, roots: readonly string[]) {
    this.#here = posix.join(instancesPath, '/');
    this.#host = posix.join(roots[0] ?? '/', '/');
    this.#roots = roots;
    this.#isBelowProc = roots.some((root) => root.startsWith(`${PROC}/`));
  }

  /** The proper host path of a path relative to the instances path. */
  hostPath(relative: string): string {
    return joinPlain(this.#host, relative);
  }

  /** That of the directory of a path relative to the instances path. */
  hostDirectory(relative: string): string {
    const slash = relative.lastIndexOf('/');
    return slash > 0 && isPlain(relative) ? this.hostPath(relative.slice(0, slash)) : posix.dirname(this.hostPath(relative));
  }

  /** @param absolute as the host spells it. */
  resolve(absolute: string): Place {
    const known = this.#known.get(absolute);
    if (known !== undefined) return known;
    const place = this.#place(absolute);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(absolute, place);
    return place;
  }

  /** Whether a file lies where its name says: what is opened through a link as its last name takes relative names from elsewhere. */
  isWhereNamed(absolute: string): boolean {
    const last = this.#lastOf(absolute);
    return last?.kind === 'walked' && this.#linkAt(last.path) === undefined;
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

  #place(absolute: string): Place {
    const walked = this.#follow(absolute);
    return walked.kind === 'lost' ? walked : this.#placeOf(walked.path);
  }

  /** The directory of it once, and only the last name for each file. A last name that is a link, or none, goes the whole way. */
  #follow(absolute: string): Walked | Lost {
    const last = this.#lastOf(absolute);
    if (last?.kind === 'lost') return last;
    return last === undefined || this.#linkAt(last.path) !== undefined ? this.#walk(absolute.split('/')) : last;
  }

  /** With all links but the last name resolved. Undefined where the last name is not one of a file. */
  #lastOf(absolute: string): Walked | Lost | undefined {
    const slash = absolute.lastIndexOf('/');
    const name = absolute.slice(slash + 1);
    if (slash <= 0 || name === '' || name === '.' || name === '..') return undefined;
    const directory = this.#directoryOf(absolute.slice(0, slash));
    if (directory.kind === 'lost') return directory;
    return { kind: 'walked', path: directory.path === '/' ? `/${name}` : `${directory.path}/${name}` };
  }

  #directoryOf(written: string): Walked | Lost {
    const known = this.#directories.get(written);
    if (known !== undefined) return known;
    const walked = this.#walk(written.split('/'));
    if (this.#directories.size >= MOST_DIRECTORIES) this.#directories.clear();
    this.#directories.set(written, walked);
    return walked;
  }

  #walk(components: readonly string[]): Walked | Lost {
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
      if (next === PROC && !this.#isBelowProc) return { kind: 'lost', message: OF_A_PROCESS };
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
    return { kind: 'walked', path };
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
      const here = joinPlain(this.#here, inside);
      return lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(here) : undefined;
    } catch (error) {
      if (!(error instanceof Error) || errnoOf(error) === undefined) throw error;
      return errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ENAMETOOLONG' ? undefined : error;
    }
  }
}

type Lost = Extract<Place, { kind: 'lost' }>;

/** Where components lead once their links are resolved. */
interface Walked {
  readonly kind: 'walked';
  readonly path: string;
}

/** As `posix.join`, which looks at each character, only where that has something to change. */
function joinPlain(prefix: string, relative: string): string {
  return isPlain(relative) ? `${prefix}${relative}` : posix.join(prefix, relative);
}

/** Whether nothing in a path without a first slash is to be normalized. More than that may be called not plain. */
function isPlain(path: string): boolean {
  return (
    path !== '' && !path.startsWith('.') && !path.startsWith('/') && !path.endsWith('/') && !path.includes('//') && !path.includes('/.')
  );
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
