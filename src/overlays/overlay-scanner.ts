import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import type { Clock, OverlayScanner } from '../model/ports.ts';
import type { OverlayListing } from './listing.ts';
import { HeaderCache } from '../images/header-cache.ts';
import { ImageReader } from '../images/reader.ts';
import { listAllOverlays } from './every-disk.ts';
import { listOverlaysAsNova } from './as-nova.ts';
import { Pacer } from '../lib/pacer.ts';
import { ProblemLog } from '../disk/problem-log.ts';
import { Stillness } from './stillness.ts';

export interface OverlayScannerOptions {
  /** Absolute. May itself be a symbolic link. */
  readonly instancesPath: string;
  /** The base directory below the instances path. */
  readonly subdirectoryName: string;
  /** Absolute. The lock directory holds no disks and is skipped. Default `<instancesPath>/locks`. */
  readonly locksPath?: string | undefined;
  /** `nova`: only `disk` of known instances, one level, backing files by their last name: Nova's `_list_backing_images`. */
  readonly overlays: 'all' | 'nova';
  /**
   * The path by which the host's processes, and so the image headers, name the instances path, where it is mounted elsewhere
   * here. Default: the instances path and what it resolves to.
   */
  readonly hostInstancesPath?: string | undefined;
  /** Headers kept between scans, some 400 bytes each. Default 16384. */
  readonly headerCacheEntries?: number | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** How often directories that change while they are read are read again before the scan counts as incomplete. */
const MAX_LISTINGS = 5;

/**
 * Reads what stands on the base files. Keeps headers between scans, so that an unchanged file is not opened again. Needs Linux
 * (`/proc/self/fd`). Throws only the abort signal's reason.
 */
export function createOverlayScanner(options: OverlayScannerOptions): OverlayScanner {
  const { instancesPath, subdirectoryName } = options;
  const clock = options.clock ?? systemClock;
  const cache = new HeaderCache(options.headerCacheEntries ?? 16_384);
  return {
    async scan({ instanceNames, signal }) {
      const pacer = new Pacer(clock, signal);
      using readers = new DisposableStack();
      const listing = await listUntilStill(options.overlays, () => {
        const reader = readers.adopt(new ImageReader(instancesPath, cache, clock), (it) => it.close());
        return {
          instancesPath,
          subdirectoryName,
          locksPath: options.locksPath ?? posix.join(instancesPath, 'locks'),
          instanceNames,
          reader,
          chains: { roots: rootsOf(options), subdirectoryName, inspect: (path, withHeader) => reader.inspect(path, withHeader) },
          problems: new ProblemLog(),
          pacer,
          overlays: [],
          stillness: new Stillness(clock),
        };
      });
      const { overlays, problems, reader } = listing;
      return { overlays, problems: problems.list(), headersRead: reader.headersRead, headersCached: reader.headersCached };
    },
  };
}

/** Nova lists once. */
async function listUntilStill(mode: 'all' | 'nova', begin: () => OverlayListing): Promise<OverlayListing> {
  let listing = begin();
  if (mode === 'nova') {
    await listOverlaysAsNova(listing);
    return listing;
  }
  for (let listings = 1; ; listings++) {
    await listAllOverlays(listing);
    const changed = listing.stillness.firstChange();
    if (changed === undefined) return listing;
    if (listings === MAX_LISTINGS) {
      const path = String(changed);
      listing.problems.add({ path, code: 'EAGAIN', message: `${path} changed whenever it was read; what stands in it is not known` });
      return listing;
    }
    await listing.pacer.pause();
    listing = begin();
  }
}

function rootsOf({ instancesPath, hostInstancesPath }: OverlayScannerOptions): readonly string[] {
  if (hostInstancesPath !== undefined) return [posix.normalize(hostInstancesPath)];
  const configured = posix.normalize(instancesPath);
  try {
    const real = realpathSync(instancesPath);
    return real === configured ? [configured] : [configured, real];
  } catch (error) {
    // Missing or unreadable: the listing says so.
    if (errnoOf(error) === undefined) throw error;
    return [configured];
  }
}
