import type { Objection } from '../../model/ports.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { checkGate } from './gate.ts';
import { pinLookup } from '../pins.ts';
import { digestOfName, indexBackingFiles } from '../usages.ts';

/**
 * Why a file must stay, going by evidence that is fresher than the plan: who uses it now, and what closes the gate now.
 * Empty: it may go.
 */
export function reasonsToStay(snapshot: Snapshot, fileName: string, digestOfRef: (imageRef: string) => string): Objection[] {
  const digest = digestOfName(fileName);
  const usages = [
    ...(digest === undefined ? [] : (snapshot.references.byDigest.get(digest) ?? [])),
    ...(snapshot.references.byName.get(fileName) ?? []),
    ...pinLookup(snapshot, digestOfRef)(fileName, digest),
    ...(indexBackingFiles(snapshot.overlays.overlays).get(fileName) ?? []),
  ];
  return [
    ...usages.map(({ by, through, value }) => ({ kind: 'use', message: `now used by ${by} (${through} ${value})` }) as const),
    ...checkGate(snapshot).reasons.map(({ reason, message }) => ({ kind: 'gate', message: `${reason}: ${message}` }) as const),
  ];
}
