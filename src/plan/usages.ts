import { digestOf } from '../model/names.ts';
import type { BackingLink, BaseImage, Overlay } from '../model/overlay.ts';
import type { BaseFile } from '../model/scan.ts';
import type { References, Usage } from '../model/references.ts';

/** Where usages are looked up: what workloads name, and what overlays are backed by. */
export interface UsageLookup {
  readonly references: References;
  /** Base file name → the overlays whose chain leads to it. */
  readonly backing: ReadonlyMap<string, readonly Usage[]>;
  /** Base file name → the base files whose chain leads to it. */
  readonly standing: ReadonlyMap<string, readonly Usage[]>;
}

const NONE: readonly Usage[] = [];

/** Who names the file, from the workloads' side. */
export function usagesByWorkload(lookup: UsageLookup, file: Pick<BaseFile, 'kind' | 'name'>): readonly Usage[] {
  const digest = digestOf(file);
  const byDigest = digest === undefined ? undefined : lookup.references.byDigest.get(digest);
  const byName = lookup.references.byName.get(file.name);
  if (byDigest === undefined) return byName ?? NONE;
  return byName === undefined ? byDigest : [...byDigest, ...byName];
}

export function usagesByOverlay(lookup: UsageLookup, file: Pick<BaseFile, 'name'>): readonly Usage[] {
  return lookup.backing.get(file.name) ?? NONE;
}

/** Which base files stand below other base files, or below what lies in the trash. */
export function usagesByBaseFile(lookup: UsageLookup, file: Pick<BaseFile, 'name'>): readonly Usage[] {
  return lookup.standing.get(file.name) ?? NONE;
}

export function indexOverlays(overlays: readonly Overlay[]): ReadonlyMap<string, readonly Usage[]> {
  return indexChains(overlays, ({ instance, path }) => ({ by: instance, through: 'overlay', value: path }));
}

/** A base file in the trash may come back, so it protects as one that is there. */
export function indexBaseImages(images: readonly BaseImage[]): ReadonlyMap<string, readonly Usage[]> {
  return indexChains(images, ({ name, inTrash }) => ({ by: name, through: inTrash ? 'trashedFile' : 'baseFile', value: name }));
}

function indexChains<T extends { readonly chain: readonly BackingLink[] }>(
  images: readonly T[],
  usageOf: (image: T) => Usage,
): ReadonlyMap<string, readonly Usage[]> {
  const index = new Map<string, Usage[]>();
  for (const image of images) {
    const { chain } = image;
    // One usage for all steps of the chain: a hundred overlays of ten steps are a hundred chains, not a thousand.
    const usage = chain.length < 2 ? usageOf(image) : { ...usageOf(image), chain: chain.map((link) => link.path ?? link.reference) };
    for (const name of new Set(chain.flatMap(({ protects }) => protects))) {
      if (name === usage.value) continue;
      const usages = index.get(name);
      if (usages === undefined) index.set(name, [usage]);
      else usages.push(usage);
    }
  }
  return index;
}
