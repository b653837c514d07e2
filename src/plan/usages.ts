import { posix } from 'node:path';
import type { BaseFile } from '../model/scan.ts';
import type { Overlay } from '../model/overlay.ts';
import type { References, Usage } from '../model/references.ts';

/** Where usages are looked up: what workloads name, and what overlays stand on. */
export interface UsageLookup {
  readonly references: References;
  /** Base file name → the overlays whose chain leads to it. */
  readonly backing: ReadonlyMap<string, readonly Usage[]>;
}

/** Length of a hex SHA-1, in characters. */
const DIGEST_LENGTH = 40;
const NONE: readonly Usage[] = [];

/** The image digest that a base file's name carries; undefined for swap, ephemeral and foreign files. Mirrors Nova's `_find_base_file`. */
export function digestOf({ kind, name }: Pick<BaseFile, 'kind' | 'name'>): string | undefined {
  // Most files: their name is the digest, which no pattern need find out.
  if (kind === 'original' && name.length === DIGEST_LENGTH) return name;
  return kind === 'original' || kind === 'resized' || kind === 'legacy' ? digestOfName(name) : undefined;
}

/** As `digestOf`, for a name whose kind is not at hand. */
export function digestOfName(name: string): string | undefined {
  // Nova's pattern ends with Python's `$`, which also matches before a final newline.
  return /^(.{40})(?:_sm|_[0-9]+\n?)?$/su.exec(name)?.[1];
}

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

/**
 * Which base files overlays stand on. A reference that leads elsewhere protects by its last path component as well, as Nova
 * joins just that to `_base`: the tree may be mounted under another name where the header was written.
 */
export function indexBackingFiles(overlays: readonly Overlay[]): ReadonlyMap<string, readonly Usage[]> {
  const index = new Map<string, Usage[]>();
  for (const overlay of overlays) {
    const usage = usageOf(overlay);
    for (const link of overlay.chain) {
      const name = link.baseName ?? posix.basename(link.reference);
      const usages = index.get(name);
      if (usages === undefined) index.set(name, [usage]);
      else usages.push(usage);
    }
  }
  return index;
}

/** One for all steps of the chain: a hundred overlays of ten steps are a hundred chains, not a thousand. */
function usageOf({ instance, path, chain }: Overlay): Usage {
  const usage: Usage = { by: instance, through: 'overlay', value: path };
  return chain.length < 2 ? usage : { ...usage, chain: chain.map((link) => link.path ?? link.reference) };
}
