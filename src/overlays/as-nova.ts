import { existsSync, lstatSync } from 'node:fs';
import { errnoOf, ownMessageOf } from '../lib/errors.ts';
import type { BackingLink, Overlay } from '../model/overlay.ts';
import { displayReference } from './backing-reference.ts';
import { headerProblem } from './chain.ts';
import { PARENTLESS_FORMATS } from '../images/formats/formats.ts';
import type { ImageHeader } from '../images/header.ts';
import { readEntries } from '../disk/list-directory.ts';
import { keepNamed } from './name-budget.ts';
import type { OverlayListing } from './listing.ts';
import { decodeRawName } from '../disk/raw-name.ts';

/**
 * Nova's `_list_backing_images`: the file `disk` of each directory that has the name of a known instance; one level; the last
 * name of its backing file, taken to lie in the base directory. Different from Nova only where Nova would abort the pass (a disk
 * that cannot be read) or follow a symbolic link: then the overlay is `unreadable`.
 */
export async function listOverlaysAsNova(listing: OverlayListing): Promise<void> {
  const { instancesPath, instanceNames, unseen, pacer } = listing;
  for (const entry of readEntries(instancesPath, (error) => unseen.addError('.', 'NotEntered', error))) {
    if (pacer.due()) await pacer.pause();
    const name = decodeRawName(entry.name);
    if (name.bytes === undefined && instanceNames.has(name.text)) visitInstance(listing, name.text);
  }
}

function visitInstance(listing: OverlayListing, instance: string): void {
  const relative = `${instance}/disk`;
  try {
    const header = readDisk(listing, instance);
    if (header !== undefined) add(listing, { instance, path: relative, ...judge(listing, relative, header) });
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    // Nova skips a disk that is not there.
    if (code === 'ENOENT' || code === 'ENOTDIR') return;
    add(listing, { instance, path: relative, chain: [], state: 'unreadable', message: ownMessageOf(error) });
  }
}

function add(listing: OverlayListing, overlay: Overlay): void {
  const isKept = keepNamed(listing, listing.overlays, { key: overlay.path, found: overlay });
  if (isKept && overlay.state === 'unreadable') listing.unseen.add(overlay.path, 'NotUnderstood', overlay.message ?? overlay.state);
}

/** Undefined for a dangling link, which does not exist for Nova either. */
function readDisk({ instancesPath, reader }: OverlayListing, instance: string): ImageHeader | undefined {
  const path = `${instancesPath}/${instance}/disk`;
  const throughLink = lstatSync(`${instancesPath}/${instance}`).isSymbolicLink();
  const stats = throughLink ? undefined : lstatSync(path, { bigint: true });
  const header = stats?.isFile() ? reader.header(path, stats) : { kind: 'irregular' as const };
  if (header.kind !== 'irregular') return header;
  if (!existsSync(path)) return undefined;
  return { kind: 'invalid', format: 'disk', message: 'it is reached through a symbolic link or is not a regular file; it is not opened' };
}

function judge(listing: OverlayListing, path: string, header: ImageHeader): Pick<Overlay, 'state' | 'chain' | 'message' | 'isUnstated'> {
  const link = header.kind === 'image' && header.backingFile !== undefined ? novaLink(listing, header.backingFile.text) : undefined;
  if (link?.baseName !== undefined && header.kind === 'image' && PARENTLESS_FORMATS.has(header.backingFormat ?? ''))
    listing.declared.noteRaw(path, [link.baseName]);
  const chain = link === undefined ? [] : [link];
  const problem = headerProblem(header);
  if (problem !== undefined) return { state: 'unreadable', chain, message: problem };
  if (link === undefined) return { state: 'flat', chain };
  if (link.exists) return { state: 'ok', chain };
  const message = `the backing file ${link.path} does not exist`;
  return { state: 'missing-backing', chain, message, isUnstated: !listing.declared.saysImage(path) };
}

function novaLink({ subdirectoryName, chains }: OverlayListing, backingFile: string): BackingLink | undefined {
  const baseName = backingFile.slice(backingFile.lastIndexOf('/') + 1);
  if (baseName === '') return undefined;
  const path = `${subdirectoryName}/${baseName}`;
  const exists = chains.inspect(path, false).kind !== 'absent';
  return { reference: displayReference(backingFile), baseName, path, exists, protects: [baseName] };
}
