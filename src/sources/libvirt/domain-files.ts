import { constants, closeSync, fstatSync, openSync, readFileSync, readdirSync, statSync, type BigIntStats, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { PoolTarget } from './disks.ts';
import { parseDomain, type LibvirtDomain } from './domain.ts';

/** libvirt's documents are some ten KiB long. */
const MAX_BYTES = 8 * 1024 * 1024;

/** One file's domain, or why it could not be read. */
export type DomainFile = { readonly path: string; readonly domain: LibvirtDomain } | { readonly path: string; readonly problem: string };

/** Reads the XML files of one directory; what did not change since the last reading is not parsed again. */
export class DomainDirectory {
  readonly #path: string;
  readonly #instancesPath: string;
  readonly #poolTarget: PoolTarget;
  readonly #leavesLinks: boolean;
  #known = new Map<string, { readonly version: string; readonly file: DomainFile }>();

  /** @param options `leavesLinks`: a symbolic link there is the business of another directory. */
  constructor(path: string, instancesPath: string, poolTarget: PoolTarget, { leavesLinks }: { readonly leavesLinks: boolean }) {
    this.#leavesLinks = leavesLinks;
    this.#path = path;
    this.#instancesPath = instancesPath;
    this.#poolTarget = poolTarget;
  }

  /** Undefined when the directory does not exist. Throws an errno error when it cannot be listed. */
  read(): readonly DomainFile[] | undefined {
    const names = this.#names();
    if (names === undefined) return undefined;
    const known = new Map(names.flatMap((name) => this.#readFile(name)));
    this.#known = known;
    return [...known.values()].map(({ file }) => file);
  }

  /** Directories and `driver.pid` lie beside the domains. */
  #names(): string[] | undefined {
    try {
      // A mount goes on showing a directory that was removed and made again on the host: empty, for ever, whatever runs there.
      if (statSync(this.#path).nlink === 0) {
        throw Object.assign(
          new Error(`${this.#path} was removed on the host, but this container still has the old one mounted: restart the agent`),
          {
            code: 'ESTALE',
          },
        );
      }
      const entries = readdirSync(this.#path, { withFileTypes: true });
      const isDomain = (entry: Dirent): boolean =>
        entry.name.endsWith('.xml') && !entry.isDirectory() && !(this.#leavesLinks && entry.isSymbolicLink());
      return entries.filter(isDomain).map(({ name }) => name);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Nothing for a file that vanished meanwhile: its domain is gone. */
  #readFile(name: string): [string, { version: string; file: DomainFile }][] {
    const path = join(this.#path, name);
    let fd: number | undefined;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const stats = fstatSync(fd, { bigint: true });
      const version = versionOf(stats);
      const known = this.#known.get(name);
      const file = known?.version === version ? known.file : this.#parse(path, fd, stats);
      return [[name, { version, file }]];
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      return [[name, { version: 'unreadable', file: { path, problem: messageOf(error) } }]];
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  #parse(path: string, fd: number, stats: BigIntStats): DomainFile {
    if (!stats.isFile()) return { path, problem: 'it is not a regular file' };
    if (stats.size > BigInt(MAX_BYTES)) return { path, problem: `it is larger than ${MAX_BYTES} bytes` };
    return { path, domain: parseDomain(readFileSync(fd, 'utf8'), this.#instancesPath, this.#poolTarget) };
  }
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
