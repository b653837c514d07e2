import { forEachRow, type Sliced } from '../lib/slices.ts';
import type { BaseImage } from '../model/overlay.ts';
import type { Rows } from '../model/rows.ts';
import type { BaseFile } from '../model/scan.ts';
import type { Facts } from './facts.ts';
import { RULES } from './rules.ts';

/**
 * The base files that name other files and are not removed in this pass, for whatever reason: what they are backed by is in use.
 * A file that only waits for the one above it to go is not touched, so that its age counts on. One look at the files, and only
 * where a base file names another at all.
 */
export function* stayingBaseFiles(facts: Facts, images: readonly BaseImage[], files: Rows<BaseFile>): Sliced<ReadonlySet<string>> {
  const staying = new Set(images.filter(({ inTrash }) => inTrash).map(({ name }) => name));
  const names = new Set(images.filter(({ inTrash }) => !inTrash).map(({ name }) => name));
  if (names.size === 0) return staying;
  const openGate = { ...facts, gateOpen: true };
  yield* forEachRow(files, (file) => {
    if (!names.delete(file.name)) return names.size > 0;
    if (RULES.find((rule) => rule.applies(openGate, file))?.reason !== 'Unused') staying.add(file.name);
    return names.size > 0;
  });
  return staying;
}
