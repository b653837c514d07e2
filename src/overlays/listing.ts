import type { Overlay } from '../model/overlay.ts';
import type { ChainContext } from './chain.ts';
import type { ImageReader } from '../images/reader.ts';
import type { Pacer } from '../lib/pacer.ts';
import type { ProblemLog } from '../disk/problem-log.ts';
import type { Stillness } from './stillness.ts';

/** What a listing needs; one per scan. */
export interface OverlayListing {
  readonly instancesPath: string;
  readonly subdirectoryName: string;
  readonly locksPath: string;
  readonly instanceNames: ReadonlySet<string>;
  readonly reader: ImageReader;
  readonly chains: ChainContext;
  readonly problems: ProblemLog;
  readonly pacer: Pacer;
  readonly overlays: Overlay[];
  readonly stillness: Stillness;
}
