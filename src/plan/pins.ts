import { compileFileGlob, type FileGlob } from '../lib/patterns/file-glob.ts';
import { messageOf } from '../lib/errors.ts';
import { ambiguityOf, isPlain, readingsOf } from '../lib/image-reference.ts';
import { cacheFileName } from '../model/names.ts';
import type { Finding } from '../model/plan.ts';
import type { Usage } from '../model/references.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Pin } from '../model/workload.ts';

/** Who pins a base file, each with the image id or the glob that it is pinned by; empty where nobody does. */
export type PinLookup = (name: string, digest: string | undefined) => readonly Usage[];

type Pinned = Pick<Snapshot, 'policy' | 'inventory'>;

const NOBODY: readonly Usage[] = [];

export function pinLookup(pinned: Pinned): PinLookup {
  const pins = pinsOf(pinned);
  const byDigest = Map.groupBy(
    pins.flatMap(({ origin, imageRefs }) => imageRefs.flatMap((ref) => pinnedImages(origin, ref))),
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

/** Pins that may not mean what somebody wanted. They keep more than they say, never less. */
export function pinFindings(pinned: Pinned): Finding[] {
  return pinsOf(pinned).flatMap(({ origin, imageRefs, fileNames }) => [
    ...imageRefs.filter((ref) => !isPlain(ref)).map((ref) => findingOf(origin, ambiguityOf(ref))),
    ...fileNames.flatMap((glob) => {
      const { problem } = matcherFor(glob);
      return problem === undefined ? [] : [findingOf(origin, problem)];
    }),
  ]);
}

/** All pins of this node, those of the configuration first. */
export function pinsOf({ policy, inventory }: Pinned): readonly Pin[] {
  return [{ origin: 'configuration', ...policy.pins }, ...(inventory.pins ?? [])];
}

function pinnedImages(origin: string, ref: string) {
  return readingsOf(ref).map((reading) => ({ digest: cacheFileName(reading), usage: usageOf(origin, reading) }));
}

function findingOf(origin: string, problem: string): Finding {
  return { type: 'AmbiguousReference', message: `pins of ${origin}: ${problem}` };
}

function usageOf(by: string, value: string): Usage {
  return { by, through: 'pin', value };
}

function matcherOf(glob: string): FileGlob {
  return matcherFor(glob).matches;
}

/** A glob that cannot be understood may mean any file: it keeps all of them, and a finding says so. */
function matcherFor(written: string): { readonly matches: FileGlob; readonly problem?: string } {
  try {
    const readings = [...new Set([written, written.trim()])].map(compileFileGlob);
    return { matches: (name) => readings.some((matches) => matches(name)) };
  } catch (error) {
    const shown = JSON.stringify(written.slice(0, 60));
    return { matches: () => true, problem: `the glob ${shown} keeps every file, because ${messageOf(error)}` };
  }
}
