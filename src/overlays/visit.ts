import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import type { EntryType } from '../disk/list-directory.ts';
import type { FsPath } from '../disk/raw-name.ts';
import type { ImageHeader } from '../images/header.ts';
import type { ImageReader } from '../images/reader.ts';
import { IGNORE, settling } from './advice.ts';
import { followChain, followReference, keepsBaseFile, type Chain } from './chain.ts';
import type { OverlayListing } from './listing.ts';
import { keepNamed } from './name-budget.ts';
import { isKeptByRoot, isRefusal, isWrittenByGuests } from './not-images.ts';

/** An entry that the walk came to. */
export interface Found {
  readonly file: FsPath;
  /** Relative to the instances path. */
  readonly path: string;
  readonly name: string;
  /** Whether it lies directly in the base directory, directly in the trash below it, or elsewhere. */
  readonly role: 'base' | 'trash' | 'other';
  /** Of the directory that it lies in; 0 for the instances path. */
  readonly depth: number;
}

/** Nova's formats of the disks beside it. */
const DISK_INFO = 'disk.info';

export function visitFile(listing: OverlayListing, found: Found): void {
  const header = headerOf(listing, found);
  if (header === undefined) return;
  // Nearly all base files, tens of thousands of them.
  if (header.kind === 'raw' && found.role !== 'other') {
    if (listing.baseImages.size > 0) listing.baseImages.delete(found.path);
    return;
  }
  const chain = followChain(found.path, header, listing.chains);
  if (found.role !== 'other') {
    addBaseImage(listing, found, chain);
    return;
  }
  // A raw file is nobody's overlay; one that is named as a disk is counted anyway.
  if (header.kind === 'raw' && (!found.name.startsWith('disk') || found.name === DISK_INFO)) return;
  addOverlay(listing, found, chain, isWrittenByGuests(found.name) ? 'its name' : undefined);
}

/** Undefined where it has vanished, or was reported as unseen. */
function headerOf(listing: OverlayListing, found: Found): ImageHeader | undefined {
  const { reader, unseen } = listing;
  let stats: BigIntStats | undefined;
  try {
    stats = lstatSync(found.file, { bigint: true });
    const header = readHeader(reader, found, stats);
    if (stats.size === 0n) noteEmpty(listing, found);
    unseen.clear(found.path);
    // It was a file when it was listed: a swap changes the directory, which is listed again.
    return header.kind === 'irregular' ? undefined : header;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    // What lies in the base directory is never excused by its name.
    const isExcused = found.role === 'other' && stats !== undefined && isRefusal(error) && isKeptByRoot(found.name, stats);
    if (!isExcused) unseen.addError(found.path, 'NotOpened', error);
    return undefined;
  }
}

/** In a lock directory. Of a pipe or a link the size says nothing, but neither is skipped: both look different in a listing. */
function noteEmpty({ locks, emptyLocks }: OverlayListing, { role, path, name, file }: Found): void {
  if (role !== 'other' || typeof file !== 'string') return;
  if (path === `${locks}/${name}`) emptyLocks.add(name);
}

/** Lock files are many and empty: nothing in them is worth opening them for. */
function readHeader(reader: ImageReader, { file }: Found, stats: BigIntStats): ImageHeader | { readonly kind: 'irregular' } {
  if (!stats.isFile()) return { kind: 'irregular' };
  return stats.size === 0n ? { kind: 'raw' } : reader.header(file, stats);
}

/** @param excuse by whose word the bytes are a guest's own, where nobody else says so. */
function addOverlay(listing: OverlayListing, { path }: Found, chain: Chain, excuse?: string): void {
  const { state, links, rawBases, message, advice } = chain;
  const isSettled = state === 'ok' || state === 'flat';
  const declaredRawBy = isSettled ? undefined : (excuse ?? listing.declared.rawBy(path));
  const isUnstated = !isSettled && !listing.declared.saysImage(path);
  const found = { instance: instanceOf(path), path, state, chain: links, message, declaredRawBy, isUnstated };
  if (!keepNamed(listing, listing.overlays, { key: path, found })) return;
  if (excuse === undefined) listing.declared.noteRaw(path, rawBases);
  if (state === 'unreadable' && declaredRawBy === undefined)
    listing.unseen.add(path, 'NotUnderstood', `${message ?? state}; ${settling.disk(advice)}`);
}

function addBaseImage(listing: OverlayListing, { path, name, role }: Found, { state, links, message, advice }: Chain): void {
  if (state === 'flat') {
    listing.names.take([], listing.baseImages.get(path)?.chain);
    listing.baseImages.delete(path);
    return;
  }
  keepNamed(listing, listing.baseImages, { key: path, found: { name, inTrash: role === 'trash', state, chain: links, message, advice } });
}

/**
 * A link to what is scanned anyway says nothing new, but a base file that it leads to is in use, whatever the link is called. A file
 * outside is not opened, unless a source names it. A name excuses no link.
 */
export function visitLink(listing: OverlayListing, found: Found): void {
  const { places, reader, chains, unseen } = listing;
  const own = places.hostPath(found.path);
  if (!own.isWellFormed()) {
    unseen.add(found.path, 'NotFollowed', `it is a symbolic link whose name is not UTF-8, so it is not followed; rename it, or ${IGNORE}`);
    return;
  }
  const link = readlinkSync(found.file);
  // Not joined: a `..` behind a link must not be taken away before the link is followed.
  const target = posix.isAbsolute(link) ? link : `${posix.dirname(own)}/${link}`;
  const place = places.resolve(own);
  unseen.clear(found.path);
  if (place.kind === 'lost') {
    unseen.add(found.path, 'NotFollowed', place.message);
    return;
  }
  const isBaseFile = place.kind === 'outside' && chains.baseFileAt(place.path) !== undefined;
  const isNamed = place.kind === 'outside' && chains.isNamed(place.path);
  if (isBaseFile || isNamed || (place.kind === 'inside' && reader.typeAt(place.path) === 'file')) {
    // Names in an image count from the directory of the link by which it is opened.
    const chain = followReference(found.path, target, chains, { openedAs: own });
    const isUnreadable =
      chain.state === 'unreadable' && !(isNamed && followReference(found.path, place.path, chains).state === 'unreadable');
    // What it says of base files counts where the file itself is read, by what is known of its format there.
    if (keepsBaseFile(chain, chains) || isUnreadable) addOverlay(listing, found, { ...chain, rawBases: [] });
  } else if (place.kind === 'outside') {
    const message = `it is a symbolic link to ${JSON.stringify(place.path)}, which is outside the instances path and not read; use a bind mount instead, or ${IGNORE}`;
    unseen.add(found.path, 'NotFollowed', message);
  }
}

/** Devices, FIFOs and sockets are never opened. */
export function visitSpecial(listing: OverlayListing, found: Found, type: EntryType): void {
  const isDisk = found.name.startsWith('disk');
  if (type !== 'block device' && !(isDisk && lstatSync(found.file, { throwIfNoEntry: false }) !== undefined)) return;
  const what = type === 'block device' ? 'a block device' : 'a FIFO, a socket or a device';
  const message = `it is ${what}, which is never opened, so what it is backed by is unknown; ${IGNORE}`;
  if (isDisk)
    listing.overlays.set(found.path, { instance: instanceOf(found.path), path: found.path, state: 'unreadable', chain: [], message });
  listing.unseen.add(found.path, 'NotAnImageFile', message);
}

/** The instance directory of a path relative to the instances path; the file's own name where it lies directly there. */
function instanceOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

/** After all disks were read: what base files leave open counts, unless the bytes are declared as a guest's own. */
export function settleBaseImages(listing: OverlayListing): void {
  for (const [path, { advice, ...image }] of listing.baseImages) {
    const declaredRawBy = image.state === 'ok' ? undefined : listing.declared.baseRawBy(image);
    listing.baseImages.set(path, { ...image, declaredRawBy });
    if (image.state === 'unreadable' && declaredRawBy === undefined)
      listing.unseen.add(path, 'NotUnderstood', `${image.message ?? image.state}; ${settling.baseFile(advice)}`);
  }
}
