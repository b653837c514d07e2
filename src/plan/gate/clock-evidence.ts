import type { Snapshot } from '../../model/snapshot.ts';
import { forEachRow, type Sliced } from '../../lib/slices.ts';
import { indexBaseImages, indexOverlays, usagesByOverlay, usagesByWorkload, type UsageLookup } from '../usages.ts';

/**
 * The first file in use whose mtime lies more than `toleranceMs` ahead of now. Such a file is one that we touch in every
 * pass, so a date in the future means that some clock was wrong; touching it once fixes that.
 */
export function* inUseFromTheFuture(snapshot: Snapshot, toleranceMs: number): Sliced<string | undefined> {
  if (snapshot.scan.newestModifiedAtMs <= snapshot.now.wallMs + toleranceMs) return undefined;
  // Made for the first file that needs it: hardly any pass sees one.
  let lookup: UsageLookup | undefined;
  let found: string | undefined;
  yield* forEachRow(snapshot.scan.files, (file) => {
    if (file.modifiedAtMs <= snapshot.now.wallMs + toleranceMs || file.kind === 'foreign') return undefined;
    lookup ??= {
      references: snapshot.references,
      backing: indexOverlays(snapshot.overlays.overlays),
      standing: indexBaseImages(snapshot.overlays.baseImages),
    };
    if (usagesByWorkload(lookup, file).length > 0 || usagesByOverlay(lookup, file).length > 0) found = file.name;
    return found === undefined;
  });
  return found;
}
