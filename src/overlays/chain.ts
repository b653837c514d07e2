import { posix } from 'node:path';
import { isReadFormat, PARENTLESS_FORMATS } from '../images/formats/formats.ts';
import type { HeaderName, ImageHeader, Inspection, ParsedImage } from '../images/header.ts';
import type { BackingLink, OverlayState } from '../model/overlay.ts';
import { ADVICE } from './advice.ts';
import { contradiction } from './contradiction.ts';
import { displayReference, resolveReference, type ReferenceTarget } from './backing-reference.ts';
import type { Place } from './place.ts';

/** Levels below an image that are followed. Nova has one; a person with snapshots, two or three. */
export const MAX_CHAIN_LEVELS = 32;

/** What a chain is followed through. Paths are relative to the instances path, or absolute outside. */
export interface ChainContext {
  /** `_base`, relative to the instances path. */
  readonly subdirectoryName: string;
  /** The host's path of the directory of a file. */
  directoryOf(path: string): string;
  locate(absolute: string): Place;
  /** Without `withHeader`, an existing regular file is `raw` without being opened. */
  inspect(path: string, withHeader: boolean): Inspection;
  /** Whether the base directory has an entry of this name. */
  hasBaseFile(name: string): boolean;
  /** Whether a source names this file outside: only then it is opened. Headers are a guest's word, and could name any file of the host. */
  isNamed(path: string): boolean;
  /** The base file that a file outside is, under another name (a bind mount); undefined where it is not one. */
  baseFileAt(path: string): string | undefined;
}

export interface Chain {
  readonly state: OverlayState;
  readonly links: readonly BackingLink[];
  /** Base files of which a step says that they are raw. */
  readonly rawBases: readonly string[];
  readonly message?: string | undefined;
  /** What a person can do; undefined where the bytes of a header are what is wrong. */
  readonly advice?: string | undefined;
}

type Problem = Exclude<OverlayState, 'ok' | 'flat'>;

/** The graver problem names the state: what leaves us ignorant of a file counts more than a file that is known to be missing. */
const GRAVITY: Readonly<Record<Problem, number>> = { 'missing-backing': 1, 'unknown-backing': 2, unreadable: 3 };

/** Follows what the image at `path`, whose header has been read, is backed by. */
export function followChain(path: string, header: ImageHeader, context: ChainContext): Chain {
  const walk = new ChainWalk(path, context);
  walk.follow({ path, header, directory: context.directoryOf(path) });
  return walk.result();
}

export interface ReferenceOptions {
  /** The host's path by which the image is opened. Default: the target. */
  readonly openedAs?: string | undefined;
  /** The format by which the file is opened; undefined where its bytes say. */
  readonly format?: string | undefined;
  /** The host says what format the file has, so its header is the host's word and what it names outside may be opened. Default false. */
  readonly opensOutside?: boolean | undefined;
}

/** Follows the chain from a reference that no header holds: a symbolic link, or a path that a source names. */
export function followReference(from: string, target: string, context: ChainContext, options: ReferenceOptions = {}): Chain {
  const walk = new ChainWalk(from, context, options.opensOutside);
  walk.followLink({ path: from, directory: context.directoryOf(from) }, { text: target, valid: true }, options);
  return walk.result();
}

/** The name in `_base` of a path relative to the instances path, or undefined when it does not lie directly there. */
export function baseNameOf(path: string, subdirectoryName: string): string | undefined {
  const prefix = `${subdirectoryName}/`;
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  return name === '' || name.includes('/') ? undefined : name;
}

/** Whether a base file that exists is protected by a step of the chain. */
export function keepsBaseFile({ links }: Chain, context: Pick<ChainContext, 'hasBaseFile'>): boolean {
  return links.some(({ protects }) => protects.some((name) => context.hasBaseFile(name)));
}

/** Why a header alone leaves a chain uncertain, or undefined. */
export function headerProblem(header: ImageHeader): string | undefined {
  if (header.kind === 'invalid') return `its ${header.format} header is invalid: ${header.message}`;
  return header.kind === 'image' ? header.unclear : undefined;
}

class ChainWalk {
  readonly #image: string;
  readonly #context: ChainContext;
  readonly #opensOutside: boolean;
  readonly #links: BackingLink[] = [];
  readonly #rawBases: string[] = [];
  readonly #visited: Set<string>;
  #problem: { readonly state: Problem; readonly message: string; readonly advice: string | undefined } | undefined;

  constructor(image: string, context: ChainContext, opensOutside = false, visited = new Set<string>()) {
    this.#image = image;
    this.#context = context;
    this.#opensOutside = opensOutside;
    this.#visited = visited;
  }

  follow(first: OpenedImage, level = 0): void {
    let image = first;
    for (let depth = level; ; depth += 1) {
      const { path, header } = image;
      this.#visited.add(path);
      const problem = headerProblem(header);
      if (problem !== undefined) this.#report('unreadable', path, problem);
      if (header.kind !== 'image') return;
      this.#visitDataFiles(image, header);
      if (header.backingFile === undefined) return;
      if (depth === MAX_CHAIN_LEVELS) {
        this.#report('unreadable', path, `the backing chain is longer than ${MAX_CHAIN_LEVELS} levels`, ADVICE.tooLong);
        return;
      }
      const next = this.#visit(image, header.backingFile, header.backingFormat);
      if (next === undefined) return;
      image = next;
    }
  }

  /** Extents of VMDK lie beside the descriptor. The data file of qcow2 counts from where QEMU was started, which nobody knows. */
  #visitDataFiles(image: OpenedImage, { format, dataFiles = [] }: ParsedImage): void {
    const isVmdk = format === 'vmdk';
    const from = isVmdk ? image : { ...image, directory: undefined };
    for (const file of dataFiles) this.#visit(from, file, isVmdk ? undefined : 'raw');
  }

  followLink(from: Opened, target: HeaderName, { format, openedAs }: ReferenceOptions): void {
    this.#visited.add(from.path);
    const next = this.#visit(from, target, format);
    if (next !== undefined) this.follow(openedAs === undefined ? next : { ...next, directory: directoryNameOf(openedAs) }, 1);
  }

  result(): Chain {
    const [links, rawBases] = [this.#links, this.#rawBases];
    if (this.#problem !== undefined) return { ...this.#problem, links, rawBases };
    return { state: links.length === 0 ? 'flat' : 'ok', links, rawBases };
  }

  /** Adds the link; returns what it leads to where the chain goes on. */
  #visit({ path: from, directory }: Opened, name: HeaderName, declared: string | undefined): OpenedImage | undefined {
    const reference = displayReference(name.text);
    const target = name.valid ? resolveReference(name.text, directory, declared) : notUtf8(reference);
    if (target.kind !== 'file') return this.#visitNoFile(from, reference, target, declared);
    const place = this.#context.locate(target.path);
    const format = target.format ?? declared;
    if (place.kind === 'inside') return this.#visitFile(from, { reference, written: target.path, path: place.path }, format);
    if (place.kind === 'lost') {
      this.#links.push(unseenLink(reference, [target.path]));
      return this.#report('unreadable', from, place.message, ADVICE.lost);
    }
    const step = { reference, written: target.path, path: place.path, isThere: place.seen };
    const isOpened = place.seen && (this.#opensOutside || this.#context.isNamed(place.path));
    return isOpened ? this.#visitFile(from, step, format) : this.#visitOutside(from, step, format);
  }

  #visitNoFile(
    from: string,
    reference: string,
    target: Exclude<ReferenceTarget, { kind: 'file' }>,
    declared: string | undefined,
  ): undefined {
    this.#links.push(unseenLink(reference, target.kind === 'unclear' ? target.mentions : []));
    if (target.kind === 'unclear') return this.#report('unreadable', from, target.message, ADVICE.unclear);
    const format = target.format ?? declared;
    if (format !== undefined && PARENTLESS_FORMATS.has(format)) return this.#report('unknown-backing', from, target.message);
    return this.#report(
      'unreadable',
      from,
      `${target.message}, and its ${format ?? 'image'} header, which may name a file of this host, is not read`,
      ADVICE.remote,
    );
  }

  /** A file that can be looked at, inside or outside. */
  #visitFile(from: string, step: Step, format: string | undefined): OpenedImage | undefined {
    const { path } = step;
    const directory = step.directory ?? directoryNameOf(step.written);
    const found = this.#context.inspect(path, format === undefined || isReadFormat(format));
    const link = this.#linkTo(step, found.kind !== 'absent');
    this.#links.push(link);
    if (link.baseName !== undefined && format !== undefined && PARENTLESS_FORMATS.has(format)) this.#rawBases.push(link.baseName);
    if (this.#visited.has(path)) return this.#report('unreadable', from, `the backing chain returns to ${path}`, ADVICE.circle);
    if (found.kind === 'absent') return this.#report('missing-backing', path, 'the backing file does not exist');
    if (found.kind === 'irregular' || found.kind === 'unreadable')
      return this.#report('unreadable', path, found.message, ADVICE[found.kind]);
    if (format === undefined || isReadFormat(format)) {
      const problem = contradiction(format, found);
      if (problem !== undefined) this.#report('unreadable', path, problem, ADVICE.contradiction);
      return { path, header: found, directory };
    }
    if (!PARENTLESS_FORMATS.has(format))
      return this.#report('unreadable', path, `the backing format ${JSON.stringify(format)} is not read`, ADVICE.format);
    if (posix.isAbsolute(path)) this.#keepWhatBytesName(path, directory);
    return undefined;
  }

  /**
   * A file below the instances path is read as an image of its own, whatever others take it for. One outside is not: what its bytes
   * name is kept here. They may be a guest's own, so they open nothing outside, and what they break says nothing.
   */
  #keepWhatBytesName(path: string, directory: string): void {
    const header = this.#context.inspect(path, true);
    if (header.kind !== 'image') return;
    const walk = new ChainWalk(path, this.#context, false, this.#visited);
    walk.follow({ path, header, directory });
    this.#links.push(...walk.#links);
  }

  /**
   * A file outside, which is not opened. Where headers were written under another mount, the file is the one of the same name in
   * our base directory: that one is protected, and followed. Where the host has a file under the very name, that one is meant.
   */
  #visitOutside(from: string, step: Step, format: string | undefined): OpenedImage | undefined {
    const { subdirectoryName } = this.#context;
    const same = this.#context.baseFileAt(step.path);
    if (same !== undefined) return this.#visitFile(from, { ...step, path: `${subdirectoryName}/${same}` }, format);
    const name = posix.basename(step.path);
    const alias = this.#context.hasBaseFile(name) ? `${subdirectoryName}/${name}` : undefined;
    const isRaw = format !== undefined && PARENTLESS_FORMATS.has(format);
    const looksMounted = posix.basename(posix.dirname(step.path)) === posix.basename(subdirectoryName);
    if (alias !== undefined && looksMounted && !isRaw && step.isThere !== true)
      return this.#visitFile(from, { ...step, path: alias, directory: this.#context.directoryOf(alias) }, format);
    this.#links.push(unseenLink(step.reference, [step.written, step.path]));
    if (alias === undefined)
      return this.#report(
        'unreadable',
        from,
        `${JSON.stringify(step.path)} is outside the instances path and not read, so what it is backed by is unknown`,
        ADVICE.outside,
      );
    if (isRaw) this.#rawBases.push(name);
    const message = `${JSON.stringify(step.path)} is outside the instances path; the base file of that name is kept`;
    if (isRaw) return this.#report('unknown-backing', from, message);
    return this.#report('unreadable', from, `${message}, but what the file itself is backed by is unknown`, ADVICE.outside);
  }

  #linkTo({ reference, written, path }: Step, exists: boolean): BackingLink {
    const { subdirectoryName } = this.#context;
    const isOutside = posix.isAbsolute(path);
    const baseName = isOutside ? this.#context.baseFileAt(path) : baseNameOf(path, subdirectoryName);
    const [name, writtenName] = [baseName ?? lastName(path), lastName(written)];
    return {
      reference,
      baseName,
      path: isOutside ? undefined : path,
      exists,
      protects: name === writtenName ? [name] : [name, writtenName],
    };
  }

  #report(state: Problem, path: string, message: string, advice?: string): undefined {
    if (this.#problem !== undefined && GRAVITY[this.#problem.state] >= GRAVITY[state]) return undefined;
    this.#problem = { state, message: path === this.#image ? message : `${path}: ${message}`, advice };
    return undefined;
  }
}

/** A file by the name that QEMU opens it by: names in it count from the directory of that name, not of what a link leads to. */
interface Opened {
  readonly path: string;
  /** The host's. Undefined where it is unknown. */
  readonly directory: string | undefined;
}

interface OpenedImage extends Opened {
  readonly header: ImageHeader;
}

interface Step {
  readonly reference: string;
  /** The path as it was written, before links were resolved. */
  readonly written: string;
  readonly path: string;
  /** Outside: the host has a file of this very name. */
  readonly isThere?: boolean;
  /** Default: that of the path as it was written. */
  readonly directory?: string;
}

/** @param path absolute, and of a file. */
function directoryNameOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** As `posix.basename`, which looks at each character, only where a slash at the end has to go. */
function lastName(path: string): string {
  return path.endsWith('/') ? posix.basename(path) : path.slice(path.lastIndexOf('/') + 1);
}

function unseenLink(reference: string, paths: readonly string[]): BackingLink {
  const protects = [...new Set(paths.map((path) => posix.basename(path)))];
  return { reference, baseName: undefined, path: undefined, exists: false, protects };
}

function notUtf8(reference: string): ReferenceTarget {
  return { kind: 'unclear', message: `${JSON.stringify(reference)} is not valid UTF-8`, mentions: [reference] };
}
