import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import type { NamedDisk, OverlayScan, Unseen } from '../model/overlay.ts';
import type { Preset } from '../model/policy.ts';
import type { Clock, OverlayScanner } from '../model/ports.ts';
import { ListingCache } from '../disk/listing-cache.ts';
import { Pacer } from '../lib/pacer.ts';
import { HeaderCache, type FileStamp } from '../images/header-cache.ts';
import { ImageReader } from '../images/reader.ts';
import { listOverlaysAsNova } from './as-nova.ts';
import { baseFileIndex } from './base-file-index.ts';
import { DeclaredFormats, SaidFormats } from './declared-formats.ts';
import { EmptyLocks } from './empty-locks.ts';
import type { OverlayListing } from './listing.ts';
import { noteMounts } from './mounted-files.ts';
import { visitNamedDisks } from './named-disks.ts';
import { NameBudget } from './name-budget.ts';
import { Places } from './places.ts';
import { walkBaseDirectory, walkTree } from './tree-walk.ts';
import { UnseenLog } from './unseen-log.ts';
import { settleBaseImages } from './visit.ts';

export interface OverlayScannerOptions {
  /** Absolute. May itself be a symbolic link. */
  readonly instancesPath: string;
  /** The base directory below the instances path. */
  readonly subdirectoryName: string;
  /** Absolute. The lock directory may change while it is read. Default `<instancesPath>/locks`. */
  readonly locksPath?: string | undefined;
  /** `nova`: only `disk` of known instances, one level, backing files by their last name: Nova's `_list_backing_images`. */
  readonly overlays: 'all' | 'nova';
  /** With `preset: nova` and `overlays: nova`, nothing counts that Nova does not count: not even what base files are backed by. Default `safe`. */
  readonly preset?: Preset | undefined;
  /**
   * The path by which the host's processes, and so the image headers, name the instances path, where it is mounted elsewhere
   * here. Default: the instances path and what it resolves to.
   */
  readonly hostInstancesPath?: string | undefined;
  /** Nova's `force_raw_images`: base files are raw whatever their bytes look like. Default false. */
  readonly forceRawImages?: boolean | undefined;
  /** Whether the configuration says that what is unseen at a path cannot lead to a base file. Default: it says so of nothing. */
  readonly isIgnored?: ((path: string) => boolean) | undefined;
  /** The file system may show old attributes until a file is opened (NFS). Default false. */
  readonly opensAnew?: boolean | undefined;
  /** Headers kept between scans, some 400 bytes each. Default 16384. */
  readonly headerCacheEntries?: number | undefined;
  /** Entries of directories kept between scans, some 150 bytes each. Default 16384. */
  readonly listingCacheEntries?: number | undefined;
  /** What names in headers may take in memory. Default: a share of the heap. */
  readonly nameBytes?: number | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

export interface KnownHeaders {
  /** Whether a file is known to hold no image format, by a header that was read in a scan before and a stamp that is the same. */
  readonly isKnownRaw: (stats: FileStamp) => boolean;
}

/**
 * Reads what is backed by the base files. Keeps headers and names between scans, so that an unchanged file is not opened and an unchanged
 * directory not listed again. Needs Linux (`/proc/self/fd`). Throws only the abort signal's reason.
 */
export function createOverlayScanner(options: OverlayScannerOptions): OverlayScanner & KnownHeaders {
  const clock = options.clock ?? systemClock;
  const cache = new HeaderCache(options.headerCacheEntries ?? 16_384);
  const listings = new ListingCache({ capacity: options.listingCacheEntries ?? 16_384, clock });
  return {
    isKnownRaw: (stats) => options.opensAnew !== true && cache.knowsRaw(stats),
    async scan({ instanceNames, disks = [], knownRaw, emptyLocks: knownLocks, signal }) {
      const pacer = new Pacer(clock, signal);
      const { instancesPath, opensAnew } = options;
      listings.beginScan();
      using readers = new DisposableStack();
      const reader = readers.adopt(new ImageReader({ instancesPath, cache, clock, opensAnew }), (it) => it.close());
      const listing = newListing(options, { reader, listings, pacer, instanceNames, knownRaw, knownLocks, disks });
      if (options.overlays === 'nova') {
        await listOverlaysAsNova(listing);
        if (options.preset !== 'nova') await walkBaseDirectory(listing, clock);
      } else {
        await walkTree(listing, clock);
        visitNamedDisks(listing, disks);
      }
      settleBaseImages(listing);
      if (options.overlays === 'all') noteMounts(listing);
      return resultOf(listing, options.isIgnored);
    },
  };
}

interface ScanParts extends Pick<OverlayListing, 'reader' | 'listings' | 'pacer' | 'instanceNames' | 'knownRaw' | 'knownLocks'> {
  readonly disks: readonly NamedDisk[];
}

function newListing(options: OverlayScannerOptions, { disks, ...parts }: ScanParts): OverlayListing {
  const { reader } = parts;
  const { instancesPath, subdirectoryName, forceRawImages = false } = options;
  const places = new Places(instancesPath, rootsOf(options));
  const named = new Set(disks.flatMap(({ path, isElsewhere }) => (isElsewhere === true ? [] : outsidePath(places, path))));
  const said = new SaidFormats();
  for (const { path, format } of disks) {
    const place = places.resolve(path);
    if (place.kind === 'inside') said.add(place.path, format);
  }
  const declared = new DeclaredFormats({ instancesPath, bySource: said.byPath, forceRawImages });
  const index = baseFileIndex({ instancesPath, subdirectoryName, reader, places });
  return {
    instancesPath,
    subdirectoryName,
    locks: posix.relative(instancesPath, options.locksPath ?? posix.join(instancesPath, 'locks')),
    ...parts,
    places,
    chains: {
      subdirectoryName,
      directoryOf: (path) => (posix.isAbsolute(path) ? posix.dirname(path) : places.hostDirectory(path)),
      locate: (absolute) => places.resolve(absolute),
      inspect: (path, withHeader) => reader.inspect(path, withHeader),
      isNamed: (path) => named.has(path),
      ...index,
    },
    declared,
    names: new NameBudget(options.nameBytes),
    emptyLocks: new EmptyLocks(),
    overlays: new Map(),
    baseImages: new Map(),
    unseen: new UnseenLog(),
  };
}

/** Of a disk that can be looked at from here. */
function outsidePath(places: Places, path: string): string[] {
  const place = places.resolve(path);
  return place.kind === 'outside' && place.seen ? [place.path] : [];
}

function resultOf(listing: OverlayListing, isIgnored: (path: string) => boolean = () => false): OverlayScan {
  const { overlays, baseImages, unseen, reader, emptyLocks } = listing;
  const { true: ignored = [], false: counted = [] } = Object.groupBy(unseen.list(), ({ path }): 'true' | 'false' =>
    isIgnored(path) ? 'true' : 'false',
  );
  return {
    overlays: [...overlays.values()],
    baseImages: [...baseImages.values()],
    unseen: counted satisfies Unseen[],
    ignored,
    emptyLocks,
    headersRead: reader.headersRead,
    headersCached: reader.headersCached,
  };
}

function rootsOf({ instancesPath, hostInstancesPath }: OverlayScannerOptions): readonly string[] {
  if (hostInstancesPath !== undefined) return [posix.normalize(hostInstancesPath)];
  const configured = posix.normalize(instancesPath);
  try {
    const real = realpathSync.native(instancesPath);
    return real === configured ? [configured] : [configured, real];
  } catch (error) {
    // Missing or unreadable: the listing says so.
    if (errnoOf(error) === undefined) throw error;
    return [configured];
  }
}
