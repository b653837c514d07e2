import { uniqueBy } from '../lib/by-key.ts';
import { posix } from 'node:path';
import type { HostReport, ReportedWorkload } from '../model/host-report.ts';
import type { Workload } from '../model/workload.ts';
import { isInBase } from './host-report.ts';

export const SHARED_STORAGE_SOURCE = 'sharedStorage';

/** A report as it is kept: who shares the directory with a hundred hosts cannot keep all that they say. */
export interface KnownReport extends Omit<HostReport, 'workloads'> {
  readonly workloads: readonly Workload[];
}

/** What of other hosts' paths means anything here. */
export interface ReportView {
  /** As hosts name the instances path. */
  readonly hostInstancesPath: string;
  readonly subdirectoryName: string;
  /** Names of instance directories count for `overlays: nova` alone. */
  readonly needsInstanceNames: boolean;
}

/** Of a host with more VMs it is not kept which of them names what. */
const TOLD_APART = 50;

/** Bytes that each takes, with all that a pass makes of it: a workload, a name, and a path. By measurement, and then some. */
const COSTS = { workload: 400, name: 300, path: 200 } as const;

/** Keeps what can name a base file here, each once, and the paths of disks. What that takes in memory comes with it, in bytes. */
export function reduceReport(report: HostReport, view: ReportView): { readonly report: KnownReport; readonly cost: number } {
  const { workloads, pins } = report;
  const outside = workloads.flatMap((vm) => outsidePath(vm, view));
  const groups = workloads.length <= TOLD_APART ? workloads.map((vm) => [vm]) : [workloads];
  const kept = groups.map((group) => merged(report.host, group, view));
  const pinned = pins.flatMap(({ imageRefs, fileNames }) => [...imageRefs, ...fileNames]);
  const incomplete = [...report.incomplete, ...outside.slice(0, 1)];
  return { report: { ...report, incomplete, workloads: kept }, cost: costOfNames(pinned) + sum(kept.map(costOf)) };
}

function merged(host: string, vms: readonly ReportedWorkload[], view: ReportView): Workload {
  const paths = vms.flatMap((vm) => vm.paths);
  const mentions = paths.filter((path) => !isBelow(path, view) && isInBase(path, view));
  const name = vms.length === 1 ? (vms[0]?.name ?? '') : `one of ${vms.length} VMs`;
  return {
    source: SHARED_STORAGE_SOURCE,
    isElsewhere: true,
    name: `${name} on host ${host}`,
    instanceNames: view.needsInstanceNames ? vms.flatMap(directoriesOf) : [],
    resizing: false,
    images: uniqueBy(
      vms.flatMap(({ images }) => images),
      ({ role, ref }) => `${role} ${ref}`,
    ),
    swapMb: [...new Set(vms.flatMap(({ swapMb }) => swapMb))],
    ephemeral: uniqueBy(
      vms.flatMap(({ ephemeral }) => ephemeral),
      ({ sizeGb, filesystem }) => `${sizeGb} ${filesystem}`,
    ),
    paths: [...new Set(paths.filter((path) => isBelow(path, view)))],
    ...(mentions.length === 0 ? {} : { mentions: [...new Set(mentions)] }),
  };
}

function directoriesOf({ instanceNames, resizing }: ReportedWorkload): readonly string[] {
  return resizing ? [...instanceNames, ...instanceNames.map((name) => `${name}_resize`)] : instanceNames;
}

/** A file elsewhere is that host's own: one of the same name here is another. */
function outsidePath({ name, paths }: ReportedWorkload, view: ReportView): string[] {
  const outside = paths.find((path) => !isBelow(path, view) && !isInBase(path, view));
  if (outside === undefined) return [];
  const where = `which is not below ${view.hostInstancesPath} and cannot be looked at from here`;
  return [`${name} has a disk at ${JSON.stringify(outside)}, ${where}: give all hosts the same hostInstancesPath`];
}

/** By its text, as it is meant: a `..` in it could lead anywhere. */
function isBelow(path: string, { hostInstancesPath }: ReportView): boolean {
  return path.startsWith(`${hostInstancesPath}/`) && posix.normalize(path) === path;
}

function costOf({ name, images, swapMb, ephemeral, paths, mentions = [], instanceNames }: Workload): number {
  const refs = images.map(({ ref }) => ref);
  const disks = ephemeral.map(({ filesystem = '' }) => filesystem);
  const names = costOfNames([...refs, ...disks, ...mentions, ...instanceNames]);
  return COSTS.workload + name.length + names + COSTS.name * swapMb.length + sum(paths.map((path) => COSTS.path + path.length));
}

function costOfNames(names: readonly string[]): number {
  return sum(names.map((name) => COSTS.name + 2 * name.length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
