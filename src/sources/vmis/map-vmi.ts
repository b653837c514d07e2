import { asArray, asObject, asText, at } from '../../lib/json.ts';
import type { Gap, ImageReference, Workload, WorkloadDisk } from '../../model/workload.ts';
import { readAnnotations } from '../pods/annotations.ts';
import { isBelow, normalizeHostPath } from '../host-paths.ts';
import { displayName, objectGap, referenceOf } from '../objects.ts';
import { instanceNamesOf } from '../workload-fields.ts';

export const VMI_SOURCE = 'virtualMachineInstances';

/** What is kept of a VirtualMachineInstance. */
export interface VmiRecord {
  readonly uid: string;
  readonly workload: Workload;
  readonly gaps: readonly Gap[];
}

/**
 * Maps a `kubevirt.io/v1` VirtualMachineInstance: containerDisk images, the kernelBoot container, hostDisks wherever they lie and our
 * annotations. Phase, migration state and deletionTimestamp play no part: what exists, protects.
 * `instancesPath` as on the host; normalized.
 */
export function mapVmi(vmi: unknown, instancesPath: string): VmiRecord {
  const object = referenceOf(vmi, 'kubevirt.io/v1', 'VirtualMachineInstance');
  const fields = readAnnotations(asObject(at(vmi, 'metadata', 'annotations')));
  const volumes = at(vmi, 'spec', 'volumes');
  const problems = [...(fields?.problems ?? [])];
  if (volumes !== undefined && volumes !== null && !Array.isArray(volumes)) problems.push('spec.volumes is not a list');
  const list = asArray(volumes) ?? [];
  const { namespace, name, uid } = object;
  const disks = hostDisks(list);
  const workload: Workload = {
    source: VMI_SOURCE,
    name: displayName(object),
    object,
    instanceNames: instanceNamesOf(name, uid, `${namespace}_${name}`, ...(fields?.instanceNames ?? [])),
    // Nothing says whether Nova is resizing it: protect as if it were.
    resizing: true,
    images: [...diskImages(list), ...kernelBoot(vmi), ...(fields?.images ?? [])],
    swapMb: fields?.swapMb ?? [],
    ephemeral: fields?.ephemeral ?? [],
    paths: disks.map(({ path }) => path).filter((path) => isBelow(path, instancesPath)),
    disks,
  };
  return { uid, workload, gaps: problems.map((problem) => objectGap('IncompleteWorkload', VMI_SOURCE, object, problem)) };
}

function diskImages(volumes: readonly unknown[]): readonly ImageReference[] {
  return volumes.flatMap((volume) => imageOf('image', at(volume, 'containerDisk', 'image')));
}

/** One container may hold the kernel, the initrd or both. */
function kernelBoot(vmi: unknown): readonly ImageReference[] {
  const container = at(vmi, 'spec', 'domain', 'firmware', 'kernelBoot', 'container');
  const image = at(container, 'image');
  const ramdisk = asText(at(container, 'initrdPath')) === undefined ? [] : imageOf('ramdisk', image);
  const kernel = asText(at(container, 'kernelPath')) === undefined && ramdisk.length > 0 ? [] : imageOf('kernel', image);
  return [...kernel, ...ramdisk];
}

function imageOf(role: ImageReference['role'], ref: unknown): readonly ImageReference[] {
  const text = asText(ref);
  return text === undefined ? [] : [{ role, ref: text }];
}

/** KubeVirt opens each as raw. */
function hostDisks(volumes: readonly unknown[]): readonly WorkloadDisk[] {
  const paths = volumes.flatMap((volume) => normalizeHostPath(asText(at(volume, 'hostDisk', 'path')) ?? '') ?? []);
  return [...new Set(paths)].map((path) => ({ path, format: 'raw' }));
}
