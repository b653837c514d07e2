import { posix } from 'node:path';
import type { WorkloadDisk } from '../../model/workload.ts';
import { childOf, descendantsOf, textOf, type XmlElement } from './xml-tree.ts';

/** The directory of a storage pool, by its name; undefined where its definition cannot be read, or where it is not a directory. */
export type PoolTarget = (pool: string) => string | undefined;

export interface DomainFiles {
  readonly disks: readonly WorkloadDisk[];
  /** Files that the domain names in a way that is not understood: it may use any file. */
  readonly problems: readonly string[];
}

const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0';
/** Disk types whose source is not a file of this host. */
const REMOTE_TYPES: ReadonlySet<string> = new Set(['network', 'nvme', 'vhostvdpa']);

/**
 * The files of a domain: disks with all their backing stores and mirrors, in the domain and in the status around it, kernel and
 * initrd, volumes of storage pools, and what QEMU's own command line names.
 */
export function filesOf(root: XmlElement, domain: XmlElement, poolTarget: PoolTarget): DomainFiles {
  const sources = [...descendantsOf(root, 'source'), ...descendantsOf(root, 'mirror')];
  const found = sources.map((source) => fileOf(source, poolTarget));
  const boot = ['kernel', 'initrd', 'dtb', 'loader', 'nvram'].map((name) => loadedFile(textOf(childOf(childOf(domain, 'os'), name))));
  const disks = [...descendantsOf(root, 'disk')].flatMap(unknownType);
  const commandLine = argumentsOf(domain).map(filesInArgument);
  const all = [...found, ...boot, ...disks, ...commandLine.flat(), ...slicesOf(root), ...localServersOf(root)];
  const formats = formatsOf(root);
  const byPath = new Map<string, WorkloadDisk>();
  for (const { disk } of all) {
    if (disk === undefined) continue;
    const format = formats.get(disk.path) ?? disk.format;
    byPath.set(disk.path, format === undefined ? disk : { ...disk, format });
  }
  return { disks: [...byPath.values()], problems: all.flatMap(({ problem }) => problem ?? []) };
}

interface FoundFile {
  readonly disk?: WorkloadDisk | undefined;
  readonly problem?: string | undefined;
}

const NOTHING: FoundFile = {};

function diskAt(path: string, format?: string): FoundFile {
  if (path === '') return NOTHING;
  // As it is written: a `..` behind a link must not be taken away before the link is followed.
  if (!path.startsWith('/') || path.includes('\0'))
    return { problem: `it names the file ${JSON.stringify(path)}, which is not an absolute path` };
  return { disk: format === undefined ? { path } : { path, format } };
}

/** Firmware, its variables, a kernel: often a file of the host that is not mounted here. */
function loadedFile(path: string): FoundFile {
  const { disk, problem } = diskAt(path, 'raw');
  return disk === undefined ? { problem } : { disk: { ...disk, isLoaded: true } };
}

/** A `<source>` of a disk, a backing store, a mirror (an old `<mirror>` has its file itself), or a device that has nothing to do with disks (then it has none of these). */
function fileOf({ attributes }: XmlElement, poolTarget: PoolTarget): FoundFile {
  const file = attributes.get('file');
  if (file !== undefined) return diskAt(file);
  const volume = attributes.get('volume');
  if (volume === undefined) return NOTHING;
  const pool = attributes.get('pool') ?? '';
  const target = poolTarget(pool);
  if (target !== undefined) return diskAt(posix.join(target, volume));
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

/** A disk of a type that later releases of libvirt may know. */
function unknownType(disk: XmlElement): FoundFile[] {
  const type = disk.attributes.get('type') ?? 'file';
  if (type === 'file' || type === 'volume' || REMOTE_TYPES.has(type)) return [];
  const source = childOf(disk, 'source');
  const device = source?.attributes.get('dev') ?? source?.attributes.get('dir');
  if (source === undefined) return [];
  if (type === 'block' && device !== undefined) return [blockDevice(disk, device)];
  return [
    {
      problem: `it has a disk of the type ${JSON.stringify(type)}${device === undefined ? '' : ` (${JSON.stringify(device)})`}, which is not understood`,
    },
  ];
}

/** A device that is not a loop device is not a file; its bytes may name one unless the hypervisor takes them as they are. */
function blockDevice(disk: XmlElement, device: string): FoundFile {
  const format = childOf(disk, 'driver')?.attributes.get('type');
  if (format === 'raw' && !/^\/dev\/(?:loop|nbd)/.test(posix.normalize(device))) return NOTHING;
  return diskAt(device, format);
}

/**
 * The format of each disk, backing store and mirror, by the path of its source, as the hypervisor opens it. Where a file has two,
 * the one that has a header counts: it may be backed by others.
 */
function formatsOf(root: XmlElement): ReadonlyMap<string, string> {
  const formats = new Map<string, string>();
  for (const element of [...descendantsOf(root, 'disk'), ...descendantsOf(root, 'backingStore'), ...descendantsOf(root, 'mirror')]) {
    const path = childOf(element, 'source')?.attributes.get('file') ?? element.attributes.get('file');
    const format =
      childOf(element, element.name === 'disk' ? 'driver' : 'format')?.attributes.get('type') ?? element.attributes.get('format');
    if (path === undefined || format === undefined) continue;
    formats.set(path, moreTelling(formats.get(path), format));
  }
  return formats;
}

/** As that of src/overlays, which no stage may import. Below both it would be one more file of the bundle for each command to read. */
function moreTelling(known: string | undefined, format: string): string {
  return known === undefined || known === 'raw' ? format : known;
}

function argumentsOf(domain: XmlElement): string[] {
  const commandLine = childOf(domain, 'commandline', [QEMU_NAMESPACE]);
  const args = commandLine?.children.filter(({ name, namespace }) => name === 'arg' && namespace === QEMU_NAMESPACE) ?? [];
  return args.map(({ attributes }) => attributes.get('value') ?? '');
}

/**
 * A key that ends in `file`, `filename` or `backing`, whatever stands before it, with its value: `file=`, `file.file.filename=`,
 * `drive.x.file=`, and the same in JSON, which QEMU also takes with single quotes. Commas in plain values are doubled.
 */
const FILE_OPTION = /[\w.-]*(?:file|filename|backing)(?:=((?:[^,]|,,)*)|"\s*:\s*"((?:[^"\\]|\\.)*)"|'\s*:\s*'((?:[^'\\]|\\.)*)')/g;

/** A relative path, or one behind a protocol, may be any file. */
function filesInArgument(argument: string, index: number, all: readonly string[]): FoundFile[] {
  if (/^--?readconfig$/.test(all[index - 1] ?? ''))
    return [{ problem: `its command line reads options from ${JSON.stringify(argument)}, which may name any file` }];
  // Where a header does not lie at the start of its file, it is not read.
  if (/\boffset\b/.test(argument)) return [{ problem: `its command line has ${JSON.stringify(argument)}, whose offset is not followed` }];
  const named = [...argument.matchAll(FILE_OPTION)].map(
    ([, plain, double, single]) => plain?.replaceAll(',,', ',') ?? unescape(double ?? single ?? ''),
  );
  const bare = /^\/[^,\s]*$/.test(argument) ? [argument] : [];
  return [...named, ...bare].map((path) => diskAt(path.replace(/^file:/, '')));
}

function unescape(json: string): string {
  return json.replaceAll(/\\(.)/g, '$1');
}
