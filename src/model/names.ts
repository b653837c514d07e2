import { createHash } from 'node:crypto';
import type { Policy } from './policy.ts';
import type { BaseFile, BaseFileKind } from './scan.ts';
import type { EphemeralDisk } from './workload.ts';

/** Length of a hex SHA-1, in characters. */
const DIGEST_LENGTH = 40;
/** What Nova formats ephemeral disks with when neither the flavor nor the configuration says otherwise. */
const DEFAULT_EPHEMERAL_FILESYSTEM = 'vfat';

/** Lower-case hex SHA-1 of the UTF-8 image id. Mirrors Nova's `get_cache_fname`. */
export function cacheFileName(imageId: string): string {
  return createHash('sha1').update(imageId, 'utf8').digest('hex');
}

/** `ephemeral_<GB>_<7 hex>`. Mirrors Nova's `disk_api.get_file_extension_for_os_type` and `imagebackend`'s ephemeral names. */
export function ephemeralFileName(disk: EphemeralDisk): string {
  const hash = createHash('md5')
    .update(disk.filesystem ?? DEFAULT_EPHEMERAL_FILESYSTEM, 'utf8')
    .digest('hex');
  return `ephemeral_${disk.sizeGb}_${hash.slice(0, 7)}`;
}

/** `swap_<MB>`. Mirrors Nova's `_list_running_instances`. */
export function swapFileName(sizeMb: number): string {
  return `swap_${sizeMb}`;
}

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

/**
 * Seconds for which a file of this kind must have been unused, by Nova's `_remove_base_file` and `_remove_swap_file`; the floor is
 * not applied. Undefined for foreign files.
 */
export function configuredMinimumAgeSeconds(
  kind: BaseFileKind,
  policy: Pick<Policy, 'originalMinimumAgeSeconds' | 'resizedMinimumAgeSeconds'>,
): number | undefined {
  if (kind === 'foreign') return undefined;
  return kind === 'resized' || kind === 'legacy' ? policy.resizedMinimumAgeSeconds : policy.originalMinimumAgeSeconds;
}
