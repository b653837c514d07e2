import type { Objection } from '../../model/ports.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { checkGate } from './gate.ts';
import { pinLookup } from '../pins.ts';
import { digestOfName, indexBackingFiles } from '../usages.ts';

/**
 * Why each file must stay, going by evidence that is fresher than the plan: who uses it now, and what closes the gate now.
 * Empty: it may go. The evidence is indexed once for all files.
 */
export function reasonsToStay(
  snapshot: Snapshot,
  fileNames: readonly string[],
  digestOfRef: (imageRef: string) => string,
): Map<string, Objection[]> {
  const { references } = snapshot;
  const pinsOf = pinLookup(snapshot, digestOfRef);
  const backing = indexBackingFiles(snapshot.overlays.overlays);
  const closed = checkGate(snapshot).reasons.map(({ reason, message }) => ({ kind: 'gate', message: `${reason}: ${message}` }) as const);
  return new Map(
    fileNames.map((fileName) => {
      const digest = digestOfName(fileName);
      const usages = [
        ...(digest === undefined ? [] : (references.byDigest.get(digest) ?? [])),
        ...(references.byName.get(fileName) ?? []),
        ...pinsOf(fileName, digest),
        ...(backing.get(fileName) ?? []),
      ];
      const used = usages.map(({ by, through, value }) => ({ kind: 'use', message: `now used by ${by} (${through} ${value})` }) as const);
      return [fileName, [...used, ...closed]];
    }),
  );
}
