import { posix } from 'node:path';
import type { WorkloadDisk } from '../../model/workload.ts';
import { diskAt, loadedFile, NOTHING, type FoundFile } from './found-file.ts';
import { filesForQemu } from './qemu-options.ts';
import { childOf, descendantsOf, textOf, type XmlElement } from './xml-tree.ts';

/** The directory of a storage pool, by its name; undefined where its definition cannot be read, or where it is not a directory. */
export type PoolTarget = (pool: string) => string | undefined;

export interface DomainFiles {
  readonly disks: readonly WorkloadDisk[];
  /** Files that the domain names in a way that is not understood: it may use any file. */
  readonly problems: readonly string[];
}

/** Elements whose `type` says what their `<source>` is; `src` is one of a block job. */
const WITH_TYPE: ReadonlySet<string> = new Set(['disk', 'backingStore', 'mirror', 'dataStore', 'src']);
/** Disk types whose source is not a file of this host. */
const REMOTE_TYPES: ReadonlySet<string> = new Set(['network', 'nvme', 'vhostvdpa']);

/**
 * The files of a domain: disks with all their backing stores and mirrors, in the domain and in the status around it, kernel and
 * initrd, volumes of storage pools, and what is named for QEMU itself. A file that is named with two formats, or once without
 * one, is there twice: no place speaks for another.
 */
export function filesOf(root: XmlElement, domain: XmlElement, poolTarget: PoolTarget): DomainFiles {
  const found = [...descendantsOf(root)].flatMap((element) => sourcesOf(element, poolTarget));
  const boot = ['kernel', 'initrd', 'dtb', 'loader', 'nvram', 'varstore'].flatMap((name) =>
    bootFiles(childOf(childOf(domain, 'os'), name)),
  );
  const disks = [...descendantsOf(root)].filter(({ name }) => WITH_TYPE.has(name)).flatMap(unknownType);
  const all = [...found, ...boot, ...disks, ...filesForQemu(domain), ...slicesOf(root), ...localServersOf(root)];
  return { disks: differentDisks(all.flatMap(({ disk }) => disk ?? [])), problems: all.flatMap(({ problem }) => problem ?? []) };
}

/** Each thing that is said about a file once. */
export function differentDisks(disks: readonly WorkloadDisk[]): WorkloadDisk[] {
  return [...new Map(disks.map((disk) => [`${disk.format} ${disk.isLoaded} ${disk.path}`, disk])).values()];
}

/** The file of an element, and the one that it is copied from when the domain starts (`template`). */
function bootFiles(element: XmlElement | undefined): FoundFile[] {
  const { attributes } = element ?? {};
  const template = loadedFile(attributes?.get('template') ?? '', attributes?.get('templateFormat'));
  return [loadedFile(textOf(element), attributes?.get('format')), template];
}

/** The files of a disk, a backing store, a mirror (an old one has its file itself), or whatever else has a `<source>`, by each format that it gives. */
function sourcesOf(element: XmlElement, poolTarget: PoolTarget): FoundFile[] {
  const own = element.children.filter(isSource);
  const sources = element.name === 'mirror' ? [element, ...own] : own;
  return sources.flatMap((source) => formatsOf(element).map((format) => fileOf(source, format, poolTarget)));
}

/** A backup that runs has its file as `<target>` or `<scratch>`; the target of an ordinary disk has none. */
function isSource({ name, namespace, attributes }: XmlElement): boolean {
  return namespace === '' && (name === 'source' || ((name === 'target' || name === 'scratch') && attributes.has('file')));
}

/** How the hypervisor opens the file of an element: more than one format where it contradicts itself, and an unknown one where it does not say. */
function formatsOf(element: XmlElement): readonly (string | undefined)[] {
  const inside = childOf(element, element.name === 'disk' ? 'driver' : 'format')?.attributes.get('type');
  const formats = [inside, element.attributes.get('format')].filter((format) => format !== undefined);
  return formats.length === 0 ? [undefined] : formats;
}

function fileOf({ attributes }: XmlElement, format: string | undefined, poolTarget: PoolTarget): FoundFile {
  const file = attributes.get('file');
  if (file !== undefined) return diskAt(file, format);
  const volume = attributes.get('volume');
  if (volume === undefined) return NOTHING;
  const pool = attributes.get('pool') ?? '';
  const target = poolTarget(pool);
  if (target !== undefined) return diskAt(posix.join(target, volume), format);
  const what = `its disk is the volume ${JSON.stringify(volume)} of the storage pool ${JSON.stringify(pool)}`;
  return { problem: `${what}, whose definition cannot be read as a directory: mount libvirt's storage directory beside its definitions` };
}

/** A header that lies within a file, not at its start, is not read: it may name any file. */
function slicesOf(root: XmlElement): FoundFile[] {
  const slices = [...descendantsOf(root, 'slice')].filter(({ attributes }) => !/^0*$/.test(attributes.get('offset') ?? ''));
  return slices.map(({ attributes }) => ({
    problem: `its disk begins at the offset ${JSON.stringify(attributes.get('offset'))} of a file, where no header is read`,
  }));
}

/** A program of this host that serves a disk by a socket may read any file. */
function localServersOf(root: XmlElement): FoundFile[] {
  const hosts = [...descendantsOf(root, 'host')].filter(({ attributes }) => attributes.get('transport') === 'unix');
  return hosts.map(({ attributes }) => ({
    problem: `its disk is served by the socket ${JSON.stringify(attributes.get('socket') ?? '')} of this host, behind which any file may lie`,
  }));
}

/** A disk, or a file below or beside it, of a type that later releases of libvirt may know. */
function unknownType(disk: XmlElement): FoundFile[] {
  const type = disk.attributes.get('type') ?? 'file';
  if (type === 'file' || type === 'volume') return [];
  if (REMOTE_TYPES.has(type)) return remoteHeader(disk);
  const source = childOf(disk, 'source');
  const device = source?.attributes.get('dev') ?? source?.attributes.get('dir');
  if (source === undefined) return [];
  if (type === 'block' && device !== undefined) return formatsOf(disk).map((format) => blockDevice(device, format));
  return [
    {
      problem: `it has a disk of the type ${JSON.stringify(type)}${device === undefined ? '' : ` (${JSON.stringify(device)})`}, which is not understood`,
    },
  ];
}

/** The header of an image elsewhere may name a file of this host. */
function remoteHeader(disk: XmlElement): FoundFile[] {
  const read = formatsOf(disk).filter((format) => format !== undefined && format !== 'raw');
  return read.map((format) => ({
    problem: `it has a ${format} image that is not a file here, whose header is not read and may name any file`,
  }));
}

/** A device that is not a loop device is not a file; its bytes may name one unless the hypervisor takes them as they are. */
function blockDevice(device: string, format: string | undefined): FoundFile {
  if (format === 'raw' && !/^\/dev\/(?:loop|nbd)/.test(posix.normalize(device))) return NOTHING;
  return diskAt(device, format);
}
