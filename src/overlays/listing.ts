import type { ListingCache } from '../disk/listing-cache.ts';
import type { BaseImage, KnownLocks, Overlay } from '../model/overlay.ts';
import type { ImageReader } from '../images/reader.ts';
import type { Pacer } from '../lib/pacer.ts';
import type { Chain, ChainContext } from './chain.ts';
import type { DeclaredFormats } from './declared-formats.ts';
import type { EmptyLocks } from './empty-locks.ts';
import type { NameBudget } from './name-budget.ts';
import type { Places } from './places.ts';
import type { UnseenLog } from './unseen-log.ts';

/** What one scan works with, and what it has found. Maps by path: a directory that is listed again replaces what it said before. */
export interface OverlayListing {
  readonly instancesPath: string;
  readonly subdirectoryName: string;
  /** The lock directory, relative to the instances path. */
  readonly locks: string;
  readonly instanceNames: ReadonlySet<string>;
  /** Names of base files that were seen to be raw a moment ago, in this pass. */
  readonly knownRaw: Pick<ReadonlySet<string>, 'has'> | undefined;
  /** Lock files that were seen to be empty in this pass. */
  readonly knownLocks: KnownLocks | undefined;
  /** Those that are found to be empty. */
  readonly emptyLocks: EmptyLocks;
  readonly reader: ImageReader;
  readonly listings: ListingCache;
  readonly places: Places;
  readonly chains: ChainContext;
  readonly declared: DeclaredFormats;
  readonly names: NameBudget;
  readonly pacer: Pacer;
  readonly overlays: Map<string, Overlay>;
  /** Each with what a person can do about it, until all are settled. */
  readonly baseImages: Map<string, BaseImage & Pick<Chain, 'advice'>>;
  readonly unseen: UnseenLog;
}
