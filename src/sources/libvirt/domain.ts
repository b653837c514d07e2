import { posix } from 'node:path';
import type { EphemeralDisk, ImageReference, Workload, WorkloadDisk } from '../../model/workload.ts';
import { isBelow, normalizeHostPath } from '../host-paths.ts';
import { instanceNamesOf, parseSize } from '../workload-fields.ts';
import { filesOf, type PoolTarget } from './disks.ts';
import { childOf, parseXml, textOf, type XmlElement } from './xml-tree.ts';

export const LIBVIRT_SOURCE = 'libvirt';

/** What nova-compute writes into a domain's metadata; older releases use 1.0. */
const NOVA_NAMESPACES = ['http://openstack.org/xmlns/libvirt/nova/1.1', 'http://openstack.org/xmlns/libvirt/nova/1.0'];

/** One domain; a domain's status file and its definition have the same `uuid`. */
export interface LibvirtDomain {
  readonly uuid: string;
  readonly workload: Workload;
  /** Parts of its description that could not be understood. */
  readonly problems: readonly string[];
}

/**
 * Maps a domain's status file (`<domstatus>`, of a live domain) or definition (`<domain>`). Domains that Nova did not make
 * count through the files that they use. Throws an `Error` for what is not such a document.
 *
 * @param instancesPath as on the host; normalized.
 * @param poolTarget where the volumes of a storage pool lie.
 */
export function parseDomain(text: string, instancesPath: string, poolTarget: PoolTarget = () => undefined): LibvirtDomain {
  const root = parseXml(text);
  const domain = root.name === 'domstatus' ? childOf(root, 'domain') : root;
  if (domain?.name !== 'domain') throw new Error(`its root element is <${root.name}>, not <domain> or <domstatus>`);
  const name = textOf(childOf(domain, 'name'));
  const uuid = textOf(childOf(domain, 'uuid'));
  if (name === '' || uuid === '') throw new Error('the domain has no name or no uuid');
  const files = filesOf(root, domain, poolTarget);
  const paths = pathsBelow(
    instancesPath,
    files.disks.filter((disk) => !isMentioned(disk)).map(({ path }) => path),
  );
  const mentions = pathsBelow(instancesPath, [...files.disks.filter(isMentioned).map(({ path }) => path), ...textsOf(root)]);
  const nova = childOf(childOf(domain, 'metadata'), 'instance', NOVA_NAMESPACES);
  const flavor = childOf(nova, 'flavor', NOVA_NAMESPACES);
  const swap = sizeOf(flavor, 'swap');
  const ephemeral = sizeOf(flavor, 'ephemeral');
  return {
    uuid,
    problems: [...files.problems, ...[swap, ephemeral].filter((size) => typeof size === 'string')],
    workload: {
      source: LIBVIRT_SOURCE,
      name,
      instanceNames: instanceNamesOf(name, uuid, ...paths.map((path) => directoryOf(path, instancesPath))),
      // Nothing says whether Nova is resizing it: protect as if it were.
      resizing: true,
      images: imagesOf(nova),
      swapMb: typeof swap === 'number' && swap > 0 ? [swap] : [],
      ephemeral: typeof ephemeral === 'number' && ephemeral > 0 ? [{ sizeGb: ephemeral } satisfies EphemeralDisk] : [],
      paths,
      mentions: mentions.filter((path) => !paths.includes(path)),
      disks: files.disks,
    },
  };
}

/** Named for QEMU itself, in words from which it takes no disk. */
function isMentioned({ isLoaded, format }: WorkloadDisk): boolean {
  return isLoaded === true && format === undefined;
}

function pathsBelow(instancesPath: string, paths: readonly string[]): string[] {
  const normalized = paths.flatMap((path) => normalizeHostPath(path) ?? []);
  return [...new Set(normalized)].filter((path) => isBelow(path, instancesPath));
}

/** Every text and every value: a memory device, a table, a shared directory and whatever libvirt adds name files as well. */
function* textsOf(element: XmlElement): Iterable<string> {
  yield textOf(element);
  yield* element.attributes.values();
  for (const child of element.children) yield* textsOf(child);
}

/** The instance directory that a file lies in. */
function directoryOf(path: string, instancesPath: string): string | undefined {
  return posix.relative(instancesPath, path).split('/').slice(0, -1)[0];
}

/** `<nova:root type="image" uuid="…"/>`; a domain booted from a volume has none. */
function imagesOf(nova: XmlElement | undefined): ImageReference[] {
  const root = childOf(nova, 'root', NOVA_NAMESPACES);
  const ref = root?.attributes.get('type') === 'image' ? root.attributes.get('uuid') : undefined;
  return ref === undefined || ref === '' ? [] : [{ role: 'image', ref }];
}

/** A whole number, or what is wrong with it; undefined where the flavor does not say. */
function sizeOf(flavor: XmlElement | undefined, name: string): number | string | undefined {
  const element = childOf(flavor, name, NOVA_NAMESPACES);
  if (element === undefined) return undefined;
  const text = textOf(element);
  return parseSize(text) ?? `nova:${name} is ${JSON.stringify(text.slice(0, 40))}, not a whole number`;
}
