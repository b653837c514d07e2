import { PARENTLESS_FORMATS } from '../images/formats/formats.ts';
import type { NamedDisk, Overlay, Unseen } from '../model/overlay.ts';
import { IGNORE, settling } from './advice.ts';
import { baseNameOf, followReference, keepsBaseFile, type Chain } from './chain.ts';
import { HYPERVISOR } from './declared-formats.ts';
import { keepNamed } from './name-budget.ts';
import type { OverlayListing } from './listing.ts';
import type { Place } from './place.ts';

const REMEDY = `mount what is missing (an instance directory may be a mount that is not visible here), or ${IGNORE}`;

const NO_IMAGE = `what it is backed by is unknown: let the definition of the VM name an image file, or ${IGNORE}`;

/**
 * The files that sources name, wherever they lie. Those below the instances path were walked to already, if they are there. Each
 * place that names a file is followed by itself, as it opens the file: that another one says raw excuses nothing.
 */
export function visitNamedDisks(listing: OverlayListing, disks: readonly NamedDisk[]): void {
  for (const disk of disks) visitNamedDisk(listing, disk);
}

function visitNamedDisk(listing: OverlayListing, disk: NamedDisk): void {
  const { places, chains, overlays, unseen, reader } = listing;
  const { path, format, by } = disk;
  const place = places.resolve(path);
  // A pod mounts a directory: what lies in it was walked to.
  if (place.kind === 'inside' && reader.typeAt(place.path) === 'directory') return;
  if (place.kind === 'inside' && places.isWhereNamed(path) && isWalkedAlike(overlays.get(place.path), disk)) return;
  // What the bytes of a raw disk name is kept as well; only what they break says nothing.
  const isRaw = format !== undefined && PARENTLESS_FORMATS.has(format);
  const hasHeader = format !== undefined && !isRaw;
  const chain = followReference(by, path, chains, { format: isRaw ? undefined : format, opensOutside: hasHeader });
  const known = place.kind === 'inside' ? place.path : path;
  const problem = problemAt(listing, disk, place);
  if (problem !== undefined) unseen.add(known, problem.cause, problem.message);
  else if (chain.state === 'unreadable' && !isRaw && disk.isLoaded !== true)
    unseen.add(known, 'NotUnderstood', `${chain.message ?? chain.state}; ${settling.namedDisk(chain.advice)}`);
  if (place.kind === 'outside' && hasHeader) listing.declared.noteRaw(path, chain.rawBases);
  if (chain.links.length === 0 || !leadsFurther(chain, overlays.get(known))) return;
  if ((problem !== undefined || disk.isLoaded === true) && !keepsBaseFile(chain, chains)) return;
  const declaredRawBy = isRaw ? HYPERVISOR : undefined;
  const isUnstated = !hasHeader && (place.kind !== 'inside' || !listing.declared.saysImage(place.path));
  const overlay = { instance: by, path, state: chain.state, chain: chain.links, message: chain.message, declaredRawBy, isUnstated };
  const key = `${by} ${path} ${format}`;
  keepNamed(listing, overlays, { key, path: known, found: overlay });
}

/** Whether the walk has read that very file as this place does, by its bytes, and its chain to the end. Nothing more is found then. */
function isWalkedAlike(walked: Overlay | undefined, { format }: NamedDisk): boolean {
  return format === undefined && (walked?.state === 'ok' || walked?.state === 'flat');
}

/** Whether a chain, whose first step is the file itself, protects more than the walk found below that file. */
function leadsFurther({ links }: Chain, walked: Overlay | undefined): boolean {
  if (walked === undefined) return true;
  const known = new Set(walked.chain.flatMap(({ protects }) => protects));
  return links.slice(1).some(({ protects }) => protects.some((name) => !known.has(name)));
}

/** Why the file itself could not be looked at. */
function problemAt(
  { reader, places, subdirectoryName }: OverlayListing,
  { by, format, isLoaded = false, isElsewhere = false }: NamedDisk,
  place: Place,
): Omit<Unseen, 'path'> | undefined {
  if (isLoaded) return undefined;
  if (place.kind === 'lost') return { cause: 'NotFollowed', message: place.message };
  if (place.kind === 'outside' && isElsewhere)
    return format === 'raw'
      ? undefined
      : { cause: 'NotFollowed', message: `${by} has a disk there, a file of its own host, which cannot be looked at from here; ${REMEDY}` };
  if (place.kind === 'outside') {
    const stats = places.statOutside(place.path);
    // The bytes of a raw disk name nothing, but behind a block device may be a file: a loop device shows one.
    if (stats !== undefined && !stats.isFile() && (format !== 'raw' || stats.isBlockDevice()))
      return { cause: 'NotAnImageFile', message: `${by} has a device or a directory as its disk; ${NO_IMAGE}` };
    if (place.seen) return undefined;
    return {
      cause: 'NotThere',
      message: `${by} has a disk there, which is outside the instances path and cannot be looked at from here; ${REMEDY}`,
    };
  }
  const type = reader.typeAt(place.path);
  if (type === 'file') return undefined;
  if (type !== 'absent') return { cause: 'NotAnImageFile', message: `${by} has its disk there, and it is not a regular file; ${NO_IMAGE}` };
  // A base file that is missing is not a disk that is backed by another.
  if (baseNameOf(place.path, subdirectoryName) !== undefined) return undefined;
  return { cause: 'NotThere', message: `${by} has its disk there, and there is nothing; ${REMEDY}` };
}
