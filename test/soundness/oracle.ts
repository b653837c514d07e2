import { linkSync, lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { errnoOf } from '../../src/lib/errors.ts';
import { qemuImg, type QemuInfo } from '../helpers/qemu-img.ts';
import type { SoundnessTree } from './tree.ts';

/** Who stands on what, by real paths, as qemu-img sees it. */
export interface Standing {
  /** Image → the files that it needs. */
  readonly needs: ReadonlyMap<string, ReadonlySet<string>>;
  /** Images below the instances path, those that links lead to among them. */
  readonly images: ReadonlySet<string>;
  /** Files that a source names. */
  readonly named: ReadonlySet<string>;
  /** Last components of all names in headers and sources, understood or not. */
  readonly lastNames: ReadonlySet<string>;
}

interface Info extends Omit<QemuInfo, 'format-specific'> {
  readonly 'format-specific'?: {
    readonly data?: { readonly 'data-file'?: string; readonly extents?: readonly { readonly filename: string }[] };
  };
}

/** Asks qemu-img about every image of the tree. Nothing of Basekeeper's own reading of headers is used. */
export function askQemu(tree: SoundnessTree): Standing {
  const oracle = new Oracle(tree.mounts);
  // What was made last stands on what was made before: one call tells the whole chain.
  for (const path of [...tree.images].toReversed()) oracle.ask(path);
  for (const [trashed, original] of tree.restorable) oracle.askAs(trashed, original);
  const isBelow = (path: string): boolean => path.startsWith(`${tree.instances}/`);
  const opened = [...tree.images].filter(isBelow).flatMap((path) => oracle.real(path) ?? []);
  const images = new Set([...opened, ...[...oracle.needs.keys()].filter(isBelow)]);
  const named = new Set([...tree.named].flatMap((path) => oracle.real(path) ?? []));
  return {
    needs: oracle.needs,
    images,
    named,
    lastNames: new Set([...oracle.lastNames, ...[...tree.named].map((path) => basename(path))]),
  };
}

class Oracle {
  readonly needs = new Map<string, Set<string>>();
  readonly lastNames = new Set<string>();
  readonly #asked = new Set<string>();
  /** Mount point → the file that is mounted there. */
  readonly #mounts: ReadonlyMap<string, string>;

  constructor(mounts: ReadonlyMap<string, string>) {
    this.#mounts = mounts;
  }

  ask(path: string, from = path): void {
    if (this.#asked.has(path)) return;
    for (const info of chainOf(path)) {
      const image = this.real(info.filename);
      // A chain may have read a file as raw that is an image for others.
      if (info.format !== 'raw') this.#asked.add(pathOf(info.filename));
      const directory = dirname(pathOf(info.filename));
      const { 'data-file': dataFile, extents } = info['format-specific']?.data ?? {};
      const others = [info['full-backing-filename'], dataFile, ...(extents ?? []).map(({ filename }) => filename)];
      for (const other of others) {
        if (other === undefined) continue;
        const target = pathOf(other);
        this.lastNames.add(basename(target));
        this.#add(
          image === undefined || pathOf(info.filename) !== path ? image : this.real(from),
          isAbsolute(target) ? target : `${directory}/${target}`,
        );
      }
    }
  }

  /** What `path` would need under the name `as`; that name is lent to it. */
  askAs(path: string, as: string): void {
    this.ask(path);
    if (lstatSync(as, { throwIfNoEntry: false }) !== undefined) return;
    linkSync(path, as);
    this.ask(as, path);
    rmSync(as);
  }

  #add(image: string | undefined, target: string): void {
    const real = this.real(target);
    if (image === undefined || real === undefined || real === image) return;
    this.needs.set(image, (this.needs.get(image) ?? new Set()).add(real));
  }

  real(name: string): string | undefined {
    try {
      // The other one takes `..` away before it looks at links; QEMU and the kernel do not.
      const path = realpathSync.native(pathOf(name));
      return this.#mounts.get(path) ?? path;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }
}

/** The whole chain, or as much of it as qemu-img reads. */
function chainOf(path: string): Info[] {
  const whole = infoOf(path, ['--backing-chain']);
  if (whole !== undefined) return whole;
  const chain: Info[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = path; next !== undefined && !seen.has(next); next = chain.at(-1)?.['full-backing-filename']) {
    seen.add(next);
    const [info] = infoOf(next, []) ?? [];
    if (info === undefined) break;
    chain.push(info);
  }
  return chain;
}

function infoOf(path: string, more: readonly string[]): Info[] | undefined {
  try {
    const answer = JSON.parse(qemuImg(['info', '-U', '--output=json', ...more, path])) as Info | Info[];
    return Array.isArray(answer) ? answer : [answer];
  } catch (error) {
    // It says that it cannot open something: nobody can, then.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
}

/** The path in a name that qemu-img prints: `file:` and `json:` are its own spellings. */
function pathOf(name: string): string {
  if (name.startsWith('file:')) return name.slice('file:'.length);
  if (!name.startsWith('json:')) return name;
  const values = new Map<string, unknown>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (key.split('.').at(-1) === 'filename') values.set('filename', item);
      collect(item);
    }
  };
  collect(JSON.parse(name.slice('json:'.length)));
  return String(values.get('filename'));
}

/** All that is needed, directly or not, by these files. */
export function closure({ needs }: Standing, roots: Iterable<string>): Set<string> {
  const reached = new Set<string>();
  const open = [...roots];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(needs.get(path) ?? []));
  }
  return reached;
}

/** Every path below a directory that is no directory itself, with its inode; links are not followed. */
export function filesBelow(directory: string, found = new Map<string, bigint>()): Map<string, bigint> {
  // Not `recursive`: that enters directories behind links.
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) filesBelow(path, found);
    else found.set(path, lstatSync(path, { bigint: true }).ino);
  }
  return found;
}
