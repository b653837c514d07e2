import { errnoOf } from '../lib/errors.ts';
import { readSmallFile } from '../disk/read-small-file.ts';
import type { BaseImage } from '../model/overlay.ts';
import { parseTrashEntryName } from '../model/trash-names.ts';

/** Nova writes some hundred bytes. */
const MAX_INFO_BYTES = 65_536;

const NOVA_NAME = /^(?:[0-9a-f]{40}(?:_|$)|swap_|ephemeral_)/;
/** Nova refuses an image with a backing file before it uses one (`fetch_to_raw`). */
const PARTIAL_DOWNLOAD = /^[0-9a-f]{40}\.(?:part|converted)$/;

/**
 * A guest's disk as nova-compute copies it (`snapshot` in its driver.py: `qemu-img convert` to a random name in a `tempfile.mkdtemp`
 * of `snapshots_directory`, by default below the instances path). The copy is backed by nothing, and where it is raw, its bytes are the
 * guest's. What it is made from, `<name>.delta`, is a disk like any other.
 */
const NOVA_SNAPSHOT = /^snapshots\/tmp[a-z0-9_]{8}\/[0-9a-f]{32}$/;

/** Whose word a source gives. */
export const HYPERVISOR = 'the hypervisor';

/** File name → the formats that are given for it. */
type DiskInfo = ReadonlyMap<string, ReadonlySet<unknown>>;

const NOTHING_SAID: ReadonlySet<string | undefined> = new Set();

export interface DeclaredFormatsOptions {
  readonly instancesPath: string;
  /** Path relative to the instances path → the formats that sources say; undefined for one that names the file without a format. */
  readonly bySource: ReadonlyMap<string, ReadonlySet<string | undefined>>;
  /** Nova's `force_raw_images`: every base file that Nova makes is raw, whatever its bytes look like. */
  readonly forceRawImages: boolean;
}

/**
 * What the host says about the formats of disks: Nova in `disk.info` beside them, a hypervisor in its definition. A file is raw, and
 * its bytes are the guest's own, where at least one place says so and none says, or leaves open, anything else. Read only for a disk
 * whose bytes raise a question.
 */
export class DeclaredFormats {
  readonly #instancesPath: string;
  readonly #bySource: DeclaredFormatsOptions['bySource'];
  readonly #infos = new Map<string, DiskInfo>();

  readonly #forceRawImages: boolean;
  /** For each base file the images that say that it is raw. */
  readonly #rawBaseFiles = new Map<string, Set<string>>();

  constructor({ instancesPath, bySource, forceRawImages }: DeclaredFormatsOptions) {
    this.#instancesPath = instancesPath;
    this.#bySource = bySource;
    this.#forceRawImages = forceRawImages;
  }

  /** An image says that it is backed by these base files as raw. `path` is relative to the instances path. */
  noteRaw(path: string, baseNames: readonly string[]): void {
    for (const name of baseNames) addTo(this.#rawBaseFiles, name, path);
  }

  /** As `rawBy`, for a base file; asked when all images were read. */
  baseRawBy({ name, inTrash }: Pick<BaseImage, 'name' | 'inTrash'>): string | undefined {
    if (PARTIAL_DOWNLOAD.test(name)) return 'a download that is not finished';
    // What a guest wrote into its own disk says nothing about a base file.
    if ([...(this.#rawBaseFiles.get(name) ?? [])].some((image) => this.rawBy(image) === undefined)) return 'the disks that it backs';
    const own = inTrash ? parseTrashEntryName(name)?.name : name;
    return this.#forceRawImages && NOVA_NAME.test(own ?? '') ? 'forceRawImages' : undefined;
  }

  /** Whether a place says that the file is an image of some format. `path` is relative to the instances path. */
  saysImage(path: string): boolean {
    return [...(this.#bySource.get(path) ?? NOTHING_SAID), ...this.#inInfo(path)].some(
      (format) => typeof format === 'string' && format !== 'raw',
    );
  }

  /** By whose word the file is raw; undefined where nobody says so. `path` is relative to the instances path. */
  rawBy(path: string): string | undefined {
    const bySource = this.#bySource.get(path) ?? NOTHING_SAID;
    const inInfo = this.#inInfo(path);
    if ([...bySource, ...inInfo].some((format) => format !== 'raw')) return undefined;
    if (bySource.size > 0) return HYPERVISOR;
    if (NOVA_SNAPSHOT.test(path)) return "its place among Nova's snapshots";
    return inInfo.size > 0 ? 'disk.info' : undefined;
  }

  #inInfo(path: string): ReadonlySet<unknown> {
    const slash = path.lastIndexOf('/');
    return this.#infoOf(path.slice(0, Math.max(slash, 0))).get(path.slice(slash + 1)) ?? NOTHING_SAID;
  }

  #infoOf(directory: string): DiskInfo {
    const known = this.#infos.get(directory);
    if (known !== undefined) return known;
    const info = this.#readInfo(directory);
    this.#infos.set(directory, info);
    return info;
  }

  /** Empty where there is no such file, or none that Nova would have written: then nobody says anything. */
  #readInfo(directory: string): DiskInfo {
    if (!directory.isWellFormed()) return new Map();
    try {
      const file = readSmallFile(`${this.#instancesPath}/${directory}/disk.info`, MAX_INFO_BYTES);
      const value: unknown = file === undefined ? undefined : JSON.parse(file.text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
      const formats = new Map<string, Set<unknown>>();
      for (const [path, format] of Object.entries(value)) addTo(formats, path.slice(path.lastIndexOf('/') + 1), format);
      return formats;
    } catch (error) {
      if (error instanceof SyntaxError || errnoOf(error) !== undefined) return new Map();
      throw error;
    }
  }
}

/** What sources say about files. Tens of thousands of these have one and the same to be said about: sets are shared, and never changed. */
export class SaidFormats {
  readonly byPath = new Map<string, ReadonlySet<string | undefined>>();
  readonly #sets = new Map<string, ReadonlySet<string | undefined>>();

  add(path: string, format: string | undefined): void {
    const known = this.byPath.get(path) ?? NOTHING_SAID;
    if (!known.has(format)) this.byPath.set(path, this.#shared([...known, format]));
  }

  #shared(formats: readonly (string | undefined)[]): ReadonlySet<string | undefined> {
    const key = JSON.stringify(formats);
    const set = this.#sets.get(key) ?? new Set(formats);
    this.#sets.set(key, set);
    return set;
  }
}

/** Adds to the set of a key. */
function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}
