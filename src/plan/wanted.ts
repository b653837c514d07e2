import { readingsOf } from '../lib/image-reference.ts';
import { forEachRow, type Sliced } from '../lib/slices.ts';
import { cacheFileName, digestOf } from '../model/names.ts';
import type { WantedImage } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { pinsOf } from './pins.ts';

/** Which of the images that somebody wants on this node are there: their originals. Undefined where nobody wants any. */
export function* wantedImages(snapshot: Pick<Snapshot, 'policy' | 'inventory' | 'scan'>): Sliced<readonly WantedImage[] | undefined> {
  const wanted = pinsOf(snapshot).flatMap(({ origin, wanted: refs = [] }) => refs.map((ref) => ({ origin, ref })));
  if (wanted.length === 0) return undefined;
  const byRef = Map.groupBy(wanted, ({ ref }) => ref);
  const refsByDigest = Map.groupBy(
    [...byRef.keys()].flatMap((ref) => readingsOf(ref).map((reading) => ({ ref, digest: cacheFileName(reading) }))),
    ({ digest }) => digest,
  );
  const present = new Set<string>();
  yield* forEachRow(snapshot.scan.files, (file) => {
    const digest = file.kind === 'original' ? digestOf(file) : undefined;
    for (const { ref } of (digest !== undefined && refsByDigest.get(digest)) || []) present.add(ref);
  });
  return [...byRef]
    .map(([imageRef, some]) => ({ imageRef, by: [...new Set(some.map(({ origin }) => origin))], present: present.has(imageRef) }))
    .toSorted((left, right) => (left.imageRef < right.imageRef ? -1 : 1));
}
