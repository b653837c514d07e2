import { forEachRow, type Sliced } from '../lib/slices.ts';
import { timestamp } from '../lib/timestamp.ts';
import type { Finding } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { indexBaseImages, indexOverlays, usagesByOverlay, usagesByWorkload } from './usages.ts';

/** Clocks that differ a little date a file of this moment so. */
const FAR_MS = 3_600_000;
/** More are counted. */
const LISTED = 10;

/** Unused files that are dated far in the future: nothing removes them before that day comes. One that is in use is touched, and is the gate's business. */
export function* unusedFromTheFuture(snapshot: Snapshot): Sliced<Finding[]> {
  const limitMs = snapshot.now.wallMs + FAR_MS;
  if (snapshot.scan.newestModifiedAtMs <= limitMs) return [];
  const lookup = {
    references: snapshot.references,
    backing: indexOverlays(snapshot.overlays.overlays),
    standing: indexBaseImages(snapshot.overlays.baseImages),
  };
  const found: Finding[] = [];
  let unlisted = 0;
  yield* forEachRow(snapshot.scan.files, (file) => {
    if (file.modifiedAtMs <= limitMs || file.kind === 'foreign') return undefined;
    if (usagesByWorkload(lookup, file).length > 0 || usagesByOverlay(lookup, file).length > 0) return undefined;
    if (found.length < LISTED) found.push(findingOf(file.name, file.modifiedAtMs));
    else unlisted += 1;
    return undefined;
  });
  return unlisted === 0 ? found : [...found, { type: 'FileFromFuture', message: `${unlisted} more unused files are dated in the future` }];
}

function findingOf(file: string, modifiedAtMs: number): Finding {
  const message = `${file} is unused, but dated ${timestamp(modifiedAtMs)}, in the future: it is kept until then; touch it to let it age`;
  return { type: 'FileFromFuture', file, message };
}
