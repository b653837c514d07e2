import { posix } from 'node:path';
import { readingsOf } from '../lib/image-reference.ts';
import { cacheFileName, ephemeralFileName, swapFileName } from '../model/names.ts';
import type { References, Usage } from '../model/references.ts';
import type { Workload } from '../model/workload.ts';

/** Remembers what a workload, which never changes, names: sources give the same object until theirs changes. */
export interface ReferenceMemory {
  readonly named: WeakMap<Workload, NamedByWorkload>;
}

interface NamedByWorkload {
  readonly images: readonly { readonly digest: string; readonly usage: Usage }[];
  readonly files: readonly { readonly name: string; readonly usage: Usage }[];
}

/**
 * The names that the workloads protect. Mirrors Nova's `_list_running_instances`, but counts *every* swap and
 * ephemeral disk, not just the first.
 *
 * @param baseDirectoryName name of the cache directory (`_base`). A path whose directory has that name is protected by
 *   its file name, wherever the directory is mounted for the workload: too much protection costs space, too little a disk.
 * @param memory spares hashing again what was hashed before: the same for all calls with the same `baseDirectoryName`.
 */
export function collectReferences(workloads: readonly Workload[], baseDirectoryName: string, memory?: ReferenceMemory): References {
  const byDigest = new Map<string, Usage[]>();
  const byName = new Map<string, Usage[]>();
  const instanceNames = new Set<string>();
  for (const workload of workloads) {
    const { images, files } = memory?.named.get(workload) ?? namedBy(workload, baseDirectoryName);
    memory?.named.set(workload, { images, files });
    for (const { digest, usage } of images) append(byDigest, digest, usage);
    for (const { name, usage } of files) append(byName, name, usage);
    for (const name of workload.instanceNames) {
      instanceNames.add(name);
      if (workload.resizing) instanceNames.add(`${name}_resize`);
    }
  }
  return { byDigest, byName, instanceNames };
}

function namedBy(workload: Workload, baseDirectoryName: string): NamedByWorkload {
  return { images: imageUsages(workload), files: fileUsages(workload, baseDirectoryName) };
}

function imageUsages(workload: Workload): { digest: string; usage: Usage }[] {
  return workload.images.flatMap(({ role, ref }) =>
    readingsOf(ref).map((reading) => ({ digest: cacheFileName(reading), usage: usageOf(workload, role, reading) })),
  );
}

function fileUsages(workload: Workload, baseDirectoryName: string): { name: string; usage: Usage }[] {
  const swaps = workload.swapMb.map((sizeMb) => named(workload, 'swap', swapFileName(sizeMb)));
  const ephemerals = workload.ephemeral.map((disk) => named(workload, 'ephemeral', ephemeralFileName(disk)));
  const paths = [...workload.paths, ...(workload.mentions ?? [])]
    .filter((path) => posix.basename(posix.dirname(posix.normalize(path))) === baseDirectoryName)
    .map((path) => ({ name: posix.basename(path), usage: usageOf(workload, 'path', path) }));
  return [...swaps, ...ephemerals, ...paths];
}

function named(workload: Workload, through: Usage['through'], name: string): { name: string; usage: Usage } {
  return { name, usage: usageOf(workload, through, name) };
}

function usageOf(workload: Workload, through: Usage['through'], value: string): Usage {
  return { by: workload.name, through, value, ...(workload.object === undefined ? {} : { object: workload.object }) };
}

function append(map: Map<string, Usage[]>, key: string, usage: Usage): void {
  const usages = map.get(key);
  if (usages === undefined) map.set(key, [usage]);
  else usages.push(usage);
}
