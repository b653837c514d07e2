import { digestOfName } from '../../model/names.ts';
import type { Objection } from '../../model/ports.ts';
import type { Evidence } from '../../model/snapshot.ts';
import { pinLookup } from '../pins.ts';
import { indexBaseImages, indexOverlays } from '../usages.ts';
import { closuresOf } from './gate.ts';

/**
 * Why each file must stay, going by evidence that is fresher than the plan: who uses it now, and what closes the gate now.
 * Empty: it may go. The evidence is indexed once for all files.
 */
export function reasonsToStay(evidence: Evidence, fileNames: readonly string[]): Map<string, Objection[]> {
  const { references, overlays } = evidence;
  const pinsOf = pinLookup(evidence);
  const indexes = [references.byName, indexOverlays(overlays.overlays), indexBaseImages(overlays.baseImages)];
  const closed = closuresOf(evidence).map(({ reason, message }) => ({ kind: 'gate', message: `${reason}: ${message}` }) as const);
  return new Map(
    fileNames.map((fileName) => {
      const digest = digestOfName(fileName);
      const usages = [
        ...(digest === undefined ? [] : (references.byDigest.get(digest) ?? [])),
        ...pinsOf(fileName, digest),
        ...indexes.flatMap((index) => index.get(fileName) ?? []),
      ];
      const used = usages.map(({ by, through, value }) => ({ kind: 'use', message: `now used by ${by} (${through} ${value})` }) as const);
      return [fileName, [...used, ...closed]];
    }),
  );
}
