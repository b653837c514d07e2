import type { Snapshot } from '../model/snapshot.ts';
import { indexBackingFiles, usagesByOverlay, usagesByWorkload } from './usages.ts';

/**
 * The first file in use whose mtime lies more than `toleranceMs` ahead of now. Such a file is one that we touch in every
 * pass, so a date in the future means that some clock was wrong; touching it once mends that.
 */
export function inUseFromTheFuture(snapshot: Snapshot, toleranceMs: number): string | undefined {
  const lookup = { references: snapshot.references, backing: indexBackingFiles(snapshot.overlays.overlays) };
  for (const file of snapshot.scan.files) {
    if (file.modifiedAtMs <= snapshot.now.wallMs + toleranceMs || file.kind === 'foreign') continue;
    if (usagesByWorkload(lookup, file).length > 0 || usagesByOverlay(lookup, file).length > 0) return file.name;
  }
  return undefined;
}
