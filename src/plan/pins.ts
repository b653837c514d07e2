import picomatch from 'picomatch';
import type { Usage } from '../model/references.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Pin } from '../model/workload.ts';

/** Who pins a base file, each with the image id or the glob that it is pinned by; empty where nobody does. */
export type PinLookup = (name: string, digest: string | undefined) => readonly Usage[];

const NOBODY: readonly Usage[] = [];

/** @param digestOfRef turns a pinned image id into the name of its base file (`cacheFileName`). */
export function pinLookup(
  { policy, inventory }: Pick<Snapshot, 'policy' | 'inventory'>,
  digestOfRef: (imageRef: string) => string,
): PinLookup {
  const pins: readonly Pin[] = [{ origin: 'configuration', ...policy.pins }, ...(inventory.pins ?? [])];
  const byDigest = Map.groupBy(
    pins.flatMap(({ origin, imageRefs }) => imageRefs.map((ref) => ({ digest: digestOfRef(ref), usage: usageOf(origin, ref) }))),
    ({ digest }) => digest,
  );
  const globs = pins.flatMap(({ origin, fileNames }) =>
    fileNames.map((glob) => ({ matches: matcherOf(glob), usage: usageOf(origin, glob) })),
  );
  if (byDigest.size === 0 && globs.length === 0) return () => NOBODY;
  return (name, digest) => {
    const images = digest === undefined ? [] : (byDigest.get(digest) ?? []);
    const names = globs.filter(({ matches }) => matches(name));
    return [...images, ...names].map(({ usage }) => usage);
  };
}

function usageOf(by: string, value: string): Usage {
  return { by, through: 'pin', value };
}

function matcherOf(glob: string): (name: string) => boolean {
  return picomatch(glob, { dot: true });
}
