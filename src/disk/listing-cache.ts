import type { BigIntStats, Dirent } from 'node:fs';
import type { Clock } from '../model/ports.ts';
import { InodeKeys } from './inode-keys.ts';
import { readSmallDirectory } from './list-directory.ts';
import { tracesNamesAt } from './network-filesystem.ts';
import type { FsPath } from './raw-name.ts';
import { granularityNs, isCoarse } from './times.ts';

/** More entries than any instance directory has. A larger directory is listed each time. */
const MOST_ENTRIES = 64;
/** How full the cache is before the order of its listings counts. */
const ORDERED_SHARE = 0.75;

interface Listing {
  readonly ctimeNs: bigint;
  readonly entries: readonly Dirent[];
  scan: number;
}

export interface ListingCacheOptions {
  /** Entries kept, of all directories together: some 150 bytes each. */
  readonly capacity: number;
  readonly clock: Clock;
}

/**
 * The names in small directories, kept from one scan to the next. On a local file system every change of a name changes the ctime of its
 * directory, and so does a rename of the directory itself: the same inode with the same ctime holds the same names. What the names stand for
 * is not kept: each is still looked up. A ctime that is so young that another change could leave the same one is not relied on, nor one of
 * whole seconds, nor any on a file system that other hosts may change or that is not known here.
 */
export class ListingCache {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #listings = new Map<bigint, Listing>();
  readonly #keys = new InodeKeys();
  readonly #traced = new Map<bigint, boolean>();
  #entries = 0;
  #scan = 0;

  constructor({ capacity, clock }: ListingCacheOptions) {
    this.#capacity = capacity;
    this.#clock = clock;
  }

  /** Devices may have other numbers in the next scan. Directories that this scan does not come to give way first. */
  beginScan(): void {
    this.#scan += 1;
    this.#traced.clear();
  }

  /** As `readSmallDirectory`. `stats`: what lstat has just said of the directory; undefined where it said nothing. */
  entriesOf(directory: FsPath, stats: BigIntStats | undefined, onError: (error: unknown) => void): Iterable<Dirent> {
    if (stats === undefined) return readSmallDirectory(directory, onError);
    const key = this.#keys.of(stats);
    const known = this.#listings.get(key);
    if (known?.ctimeNs === stats.ctimeNs) {
      this.#use(key, known);
      return known.entries;
    }
    this.#forget(key);
    const { wallMs } = this.#clock.now();
    let failed = false;
    const entries = readSmallDirectory(
      directory,
      (error) => {
        failed = true;
        onError(error);
      },
      stats,
    );
    const mayBeKept = !failed && Array.isArray(entries) && entries.length <= MOST_ENTRIES;
    if (mayBeKept && this.isReliable(directory, stats, wallMs)) this.#keep(key, stats.ctimeNs, entries);
    return entries;
  }

  /**
   * Whether the names in a directory are the same for as long as its ctime is.
   *
   * @param listedAtMs wall clock before it was listed.
   */
  isReliable(directory: FsPath, { dev, ctimeNs }: BigIntStats, listedAtMs: number): boolean {
    if (isCoarse(ctimeNs) || ctimeNs + granularityNs(ctimeNs) > BigInt(Math.floor(listedAtMs)) * 1_000_000n) return false;
    const traced = this.#traced.get(dev) ?? tracesNamesAt(directory);
    this.#traced.set(dev, traced);
    return traced;
  }

  /** As in the cache of headers, the order counts only where there is hardly any room left. */
  #use(key: bigint, listing: Listing): void {
    if (listing.scan !== this.#scan && this.#entries > this.#capacity * ORDERED_SHARE) {
      this.#listings.delete(key);
      this.#listings.set(key, listing);
    }
    listing.scan = this.#scan;
  }

  #keep(key: bigint, ctimeNs: bigint, entries: readonly Dirent[]): void {
    for (const [other, { scan }] of this.#listings) {
      if (this.#entries + entries.length <= this.#capacity || scan === this.#scan) break;
      this.#forget(other);
    }
    if (this.#entries + entries.length > this.#capacity) return;
    this.#entries += entries.length;
    this.#listings.set(key, { ctimeNs, entries, scan: this.#scan });
  }

  #forget(key: bigint): void {
    this.#entries -= this.#listings.get(key)?.entries.length ?? 0;
    this.#listings.delete(key);
  }
}
