import type { BackingLink, OverlayState } from '../model/overlay.ts';
import { displayReference, resolveReference } from './backing-reference.ts';
import type { ImageHeader, Inspection } from '../images/header.ts';
import type { HeaderName } from '../images/qcow2-header.ts';

/** Levels below an overlay that are followed. Nova has one; a person with snapshots, two or three. */
export const MAX_CHAIN_LEVELS = 8;

export interface ChainContext {
  /** Absolute paths by which headers may name the instances path. */
  readonly roots: readonly string[];
  /** `_base`, relative to the instances path. */
  readonly subdirectoryName: string;
  /** `path` is relative to the instances path. Without `withHeader`, an existing regular file is `raw` without being opened. */
  inspect(path: string, withHeader: boolean): Inspection;
}

export interface Chain {
  readonly state: OverlayState;
  readonly links: readonly BackingLink[];
  readonly message?: string | undefined;
}

type Problem = Exclude<OverlayState, 'ok' | 'flat'>;

/** The graver problem names the state: what leaves us ignorant of a file counts more than a file that is known to be missing. */
const GRAVITY: Readonly<Record<Problem, number>> = { 'missing-backing': 1, 'unknown-backing': 2, unreadable: 3 };

/** Backing formats that end a chain: QEMU takes the file's bytes as they are, whatever they look like. */
const RAW_FORMATS = new Set(['raw', 'file', 'host_device']);

/** Follows the backing chain of the overlay at `path` (relative to the instances path), whose header has been read. */
export function followChain(path: string, header: ImageHeader, context: ChainContext): Chain {
  const walk = new ChainWalk(path, context);
  walk.follow(header);
  return walk.result();
}

/** The name in `_base` of a path relative to the instances path, or undefined when it does not lie directly there. */
export function baseNameOf(path: string, subdirectoryName: string): string | undefined {
  const prefix = `${subdirectoryName}/`;
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  return name === '' || name.includes('/') ? undefined : name;
}

/** Why a header alone leaves a chain uncertain, or undefined. */
export function headerProblem(header: ImageHeader): { readonly state: Problem; readonly message: string } | undefined {
  if (header.kind === 'invalid') return { state: 'unreadable', message: header.message };
  if (header.kind === 'other') return { state: 'unreadable', message: `${header.name} images may have a parent, which is not read` };
  if (header.kind === 'raw' || header.unknownFeatures === 0n) return undefined;
  return { state: 'unreadable', message: `the unknown qcow2 features 0x${header.unknownFeatures.toString(16)} are in use` };
}

class ChainWalk {
  readonly #overlay: string;
  readonly #context: ChainContext;
  readonly #links: BackingLink[] = [];
  readonly #visited = new Set<string>();
  #problem: { readonly state: Problem; readonly message: string } | undefined;

  constructor(overlay: string, context: ChainContext) {
    this.#overlay = overlay;
    this.#context = context;
  }

  follow(overlayHeader: ImageHeader): void {
    let path = this.#overlay;
    let header = overlayHeader;
    for (let level = 0; ; level += 1) {
      this.#visited.add(path);
      const problem = headerProblem(header);
      if (problem !== undefined) this.#report(problem.state, path, problem.message);
      if (header.kind !== 'qcow2') return;
      if (header.features.includes('externalDataFile')) this.#visitDataFile(path, header.dataFile);
      if (header.backingFile === undefined) return;
      if (level === MAX_CHAIN_LEVELS) {
        this.#report('unreadable', path, `the backing chain is longer than ${MAX_CHAIN_LEVELS} levels`);
        return;
      }
      const next = this.#visit(path, header.backingFile, header.backingFormat);
      if (next === undefined) return;
      ({ path, header } = next);
    }
  }

  result(): Chain {
    const links = this.#links;
    if (this.#problem !== undefined) return { ...this.#problem, links };
    return { state: links.length === 0 ? 'flat' : 'ok', links };
  }

  /** Its data file stands beside an image, not below it; but a file in `_base` that serves as one is in use anyway. */
  #visitDataFile(from: string, name: HeaderName | undefined): void {
    if (name === undefined) this.#report('unreadable', from, 'the external data file is not named in the header');
    else this.#visit(from, name, 'raw');
  }

  /** Adds the link; returns what it leads to where the chain goes on. */
  #visit(from: string, name: HeaderName, declaredFormat: string | undefined): { path: string; header: ImageHeader } | undefined {
    const { roots, subdirectoryName } = this.#context;
    const reference = displayReference(name.text);
    const target = name.valid
      ? resolveReference(name.text, { roots, from })
      : { kind: 'unclear' as const, message: `${JSON.stringify(reference)} is not valid UTF-8` };
    if (target.kind !== 'inside') {
      this.#links.push({ reference, baseName: undefined, path: undefined, exists: false });
      const ends = target.kind === 'elsewhere' && RAW_FORMATS.has(target.format ?? declaredFormat ?? '');
      const onward =
        target.kind === 'elsewhere'
          ? `${target.message}; files there are not read, so the rest of the chain is unknown (set hostInstancesPath if headers use another path for the instances directory)`
          : target.message;
      if (ends) this.#report('unknown-backing', from, target.message);
      else this.#report('unreadable', from, onward);
      return undefined;
    }
    const { path } = target;
    const format = target.format ?? declaredFormat;
    const found = this.#context.inspect(path, format === undefined || format === 'qcow2');
    this.#links.push({ reference, baseName: baseNameOf(path, subdirectoryName), path, exists: found.kind !== 'absent' });
    if (this.#visited.has(path)) {
      this.#report('unreadable', from, `the backing chain returns to ${path}`);
      return undefined;
    }
    return this.#judge(path, found, format);
  }

  #judge(path: string, found: Inspection, format: string | undefined): { path: string; header: ImageHeader } | undefined {
    if (found.kind === 'absent') this.#report('missing-backing', path, 'the backing file does not exist');
    else if (found.kind === 'irregular') this.#report('unreadable', path, found.message);
    else if (found.kind === 'unreadable') this.#report('unreadable', path, found.message);
    else if (format === undefined || format === 'qcow2') return { path, header: found };
    else if (!RAW_FORMATS.has(format)) this.#report('unreadable', path, `the backing format ${JSON.stringify(format)} is not read`);
    return undefined;
  }

  #report(state: Problem, path: string, message: string): void {
    if (this.#problem !== undefined && GRAVITY[this.#problem.state] >= GRAVITY[state]) return;
    this.#problem = { state, message: path === this.#overlay ? message : `${path}: ${message}` };
  }
}
