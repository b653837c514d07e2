import { InodeKeys, type InodeNumbers } from '../disk/inode-keys.ts';
import { granularityNs } from '../disk/times.ts';
import type { ImageHeader } from './header.ts';

/** What identifies a file's content, as `fs` gives it with `bigint`. */
export interface FileStamp extends InodeNumbers {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Names of a header that are kept, in characters: what a guest writes must not fill the cache. */
const MOST_NAMED = 4096;

/** How full the cache is before the order of its entries counts. */
const ORDERED_SHARE = 0.75;

interface Entry extends Omit<FileStamp, keyof InodeNumbers> {
  readonly header: ImageHeader;
  pass: number;
}

/**
 * Headers by inode, valid while size, mtime and ctime are the same. At most `capacity` entries; a pass over more files keeps
 * those that it saw first, so that the next pass still finds them.
 */
export class HeaderCache {
  readonly #capacity: number;
  readonly #entries = new Map<bigint, Entry>();
  readonly #keys = new InodeKeys();
  #pass = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries that the pass before this one did not use give way first. */
  beginPass(): void {
    this.#pass += 1;
  }

  get(stats: FileStamp): ImageHeader | undefined {
    const key = this.#keys.of(stats);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.size !== stats.size || entry.mtimeNs !== stats.mtimeNs || entry.ctimeNs !== stats.ctimeNs) return undefined;
    // The order counts only once there is hardly any room left: moving each entry costs more than finding it.
    if (entry.pass !== this.#pass && this.#entries.size > this.#capacity * ORDERED_SHARE) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    entry.pass = this.#pass;
    return entry.header;
  }

  /** Whether the file holds no image format, as far as its header was read before and its stamp is the same; else nothing is known. */
  knowsRaw(stats: FileStamp): boolean {
    const entry = this.#entries.get(this.#keys.of(stats));
    if (entry?.header.kind !== 'raw' || entry.size !== stats.size) return false;
    if (entry.mtimeNs !== stats.mtimeNs || entry.ctimeNs !== stats.ctimeNs) return false;
    // The pass that begins after this question need not ask again: the entry counts as used in it.
    entry.pass = this.#pass + 1;
    return true;
  }

  /**
   * A header that was read within the granularity of the file's time stamps is used, but not kept. Nor is one that names very much.
   *
   * @param readAtMs wall clock before the header was read.
   */
  put(stats: FileStamp, header: ImageHeader, readAtMs: number): void {
    const key = this.#keys.of(stats);
    this.#entries.delete(key);
    if (stats.ctimeNs + granularityNs(stats.ctimeNs) > BigInt(Math.floor(readAtMs)) * 1_000_000n) return;
    if (namedLength(header) > MOST_NAMED) return;
    if (this.#entries.size >= this.#capacity && !this.#evict()) return;
    const { size, mtimeNs, ctimeNs } = stats;
    this.#entries.set(key, { size, mtimeNs, ctimeNs, header, pass: this.#pass });
  }

  #evict(): boolean {
    for (const [key, entry] of this.#entries) {
      if (entry.pass === this.#pass) return false;
      this.#entries.delete(key);
      return true;
    }
    return false;
  }
}

function namedLength(header: ImageHeader): number {
  if (header.kind !== 'image') return 0;
  const names = [...(header.dataFiles ?? []), ...(header.backingFile === undefined ? [] : [header.backingFile])];
  return names.reduce((sum, { text }) => sum + text.length, 0);
}
