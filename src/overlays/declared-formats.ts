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

export interface DeclaredFormatsOptions {
  readonly instancesPath: string;
  /** Path relative to the instances path → format, as sources say. */
  readonly bySource: ReadonlyMap<string, string>;
  /** Nova's `force_raw_images`: every base file that Nova makes is raw, whatever its bytes look like. */
  readonly forceRawImages: boolean;
}

/**
 * What the host says about the formats of disks: Nova in `disk.info` beside them, a hypervisor in its definition. Where it says
 * raw, the bytes are the guest's own. Read only for a disk whose bytes raise a question.
 */
export class DeclaredFormats {
  readonly #instancesPath: string;
  readonly #bySource: ReadonlyMap<string, string>;
  readonly #infos = new Map<string, ReadonlyMap<string, string>>();

  readonly #forceRawImages: boolean;
  readonly #rawBaseFiles = new Set<string>();

  constructor({ instancesPath, bySource, forceRawImages }: DeclaredFormatsOptions) {
    this.#instancesPath = instancesPath;
    this.#bySource = bySource;
    this.#forceRawImages = forceRawImages;
  }

  /** An image says that it is backed by this base file as raw. */
  noteRaw(baseName: string): void {
    this.#rawBaseFiles.add(baseName);
  }

  /** As `rawBy`, for a base file; asked when all images were read. */
  baseRawBy({ name, inTrash }: Pick<BaseImage, 'name' | 'inTrash'>): string | undefined {
    if (PARTIAL_DOWNLOAD.test(name)) return 'a download that is not finished';
    if (this.#rawBaseFiles.has(name)) return 'the disks that it backs';
    const own = inTrash ? parseTrashEntryName(name)?.name : name;
    return this.#forceRawImages && NOVA_NAME.test(own ?? '') ? 'forceRawImages' : undefined;
  }

  /** By whose word the file is raw; undefined where nobody says so. `path` is relative to the instances path. */
  rawBy(path: string): string | undefined {
    const bySource = this.#bySource.get(path);
    if (bySource !== undefined) return bySource === 'raw' ? HYPERVISOR : undefined;
    if (NOVA_SNAPSHOT.test(path)) return "its place among Nova's snapshots";
    const slash = path.lastIndexOf('/');
    return this.#infoOf(path.slice(0, Math.max(slash, 0))).get(path.slice(slash + 1)) === 'raw' ? 'disk.info' : undefined;
  }

  #infoOf(directory: string): ReadonlyMap<string, string> {
    const known = this.#infos.get(directory);
    if (known !== undefined) return known;
    const info = this.#readInfo(directory);
    this.#infos.set(directory, info);
    return info;
  }

  /** Empty where there is no such file, or none that Nova would have written: then nobody says anything. */
  #readInfo(directory: string): ReadonlyMap<string, string> {
    try {
      const file = readSmallFile(`${this.#instancesPath}/${directory}/disk.info`, MAX_INFO_BYTES);
      const value: unknown = file === undefined ? undefined : JSON.parse(file.text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
      const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
      return new Map(entries.map(([path, format]) => [path.slice(path.lastIndexOf('/') + 1), format]));
    } catch (error) {
      if (error instanceof SyntaxError || errnoOf(error) !== undefined) return new Map();
      throw error;
    }
  }
}
