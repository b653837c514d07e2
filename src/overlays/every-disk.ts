import { lstatSync, readlinkSync, type Dirent } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, ownMessageOf } from '../lib/errors.ts';
import { followChain } from './chain.ts';
import { entryType, readEntries, readSmallDirectory } from '../disk/list-directory.ts';
import type { OverlayListing } from './listing.ts';
import { decodeRawName, joinPath, type FsPath, type RawName } from '../disk/raw-name.ts';

/** What Nova writes beside the disks and what is never one. The console log changes all the time, so it is not even opened. */
const NO_DISK = /^(?:console\.log(?:\.[0-9]+)?|disk\.info|libvirt\.xml)$/;

/** Directories of the file system itself; only root may list it. */
const LOST_AND_FOUND = 'lost+found';

/**
 * Every image of every instance directory: each directory directly below the instances path but the base and lock directories.
 * A file named `disk*` must be readable, or its overlay is `unreadable`. Any other regular file counts as an overlay when it
 * turns out to be an image (an external snapshot, a disk that somebody else named); where it cannot be opened for lack of
 * permission, it is taken for what libvirt keeps for itself, such as a log.
 */
export async function listAllOverlays(listing: OverlayListing): Promise<void> {
  const { instancesPath, problems, pacer } = listing;
  // Only what lies directly here: a directory further down must not hide the disks beside it.
  const skipped = new Set([posix.normalize(listing.subdirectoryName), posix.relative(instancesPath, listing.locksPath), LOST_AND_FOUND]);
  await listing.stillness.note(instancesPath);
  for (const entry of readEntries(instancesPath, (error) => problems.addError('.', error))) {
    if (pacer.due()) await pacer.pause();
    const name = decodeRawName(entry.name);
    if (!skipped.has(name.text)) await visitTopLevel(listing, entry, name);
  }
}

async function visitTopLevel(listing: OverlayListing, entry: Dirent, rawName: RawName): Promise<void> {
  const { instancesPath, problems } = listing;
  const path = joinPath(instancesPath, rawName);
  const name = rawName.text;
  try {
    const type = entryType(entry, path);
    if (type === 'directory') await listInstance(listing, path, name);
    if (type !== 'link' || leadsToSibling(listing, path)) return;
    const message = 'it is a symbolic link, which is not followed: disks behind it are not seen; use a bind mount instead';
    problems.add({ path: name, code: 'ELOOP', message });
  } catch (error) {
    listing.pacer.throwIfAborted();
    if (errnoOf(error) !== 'ENOENT') problems.addError(name, error);
  }
}

async function listInstance(listing: OverlayListing, directory: FsPath, instance: string): Promise<void> {
  const onError = (error: unknown): void => {
    // An instance that was deleted since it was listed is not a problem.
    if (errnoOf(error) !== 'ENOENT') listing.problems.addError(instance, error);
  };
  const stats = await listing.stillness.note(directory);
  for (const entry of readSmallDirectory(directory, onError, stats)) {
    if (listing.pacer.due()) await listing.pacer.pause();
    const name = decodeRawName(entry.name);
    if (!NO_DISK.test(name.text)) visitFile(listing, instance, name.text, joinPath(directory, name), entry);
  }
}

function visitFile(listing: OverlayListing, instance: string, name: string, path: FsPath, entry: Dirent): void {
  const isDisk = name.startsWith('disk');
  const relative = `${instance}/${name}`;
  const unreadable = (message: string): void => {
    if (isDisk) listing.overlays.push({ instance, path: relative, state: 'unreadable', chain: [], message });
  };
  try {
    const type = entryType(entry, path);
    if (type === 'link') unreadable('it is a symbolic link, which is not followed; use a bind mount or a hard link instead');
    if (type === 'block device') unreadable('it is a block device, which is never opened');
    if (type !== 'file') return;
    const stats = lstatSync(path, { bigint: true });
    if (!stats.isFile()) return;
    const header = listing.reader.header(path, stats);
    if (header.kind === 'irregular' || (header.kind === 'raw' && !isDisk)) return;
    const { state, links, message } = followChain(relative, header, listing.chains);
    listing.overlays.push({ instance, path: relative, state, chain: links, message });
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    if (isDisk && code !== 'ENOENT') unreadable(ownMessageOf(error));
    else if (!isDisk && code !== 'ENOENT' && code !== 'EACCES' && code !== 'EPERM') listing.problems.addError(relative, error);
  }
}

/** True for a link to another entry of the instances path: that one is listed itself. By text alone; nothing is looked up. */
function leadsToSibling({ chains }: OverlayListing, link: FsPath): boolean {
  const [root = '/'] = chains.roots;
  const target = posix.resolve(root, readlinkSync(link));
  return chains.roots.some((parent) => posix.dirname(target) === parent);
}
