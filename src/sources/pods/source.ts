import { createReflector } from '../../kube/watch/reflector.ts';
import type { Reflector, WatchSettings } from '../../kube/watch/options.ts';
import type { WorkloadSource } from '../../model/ports.ts';
import type { Gap, SourceReading, Workload } from '../../model/workload.ts';
import { normalizeHostPath } from '../host-paths.ts';
import { displayName, objectGap } from '../objects.ts';
import { POD_SOURCE, mapPod, type Launcher, type PodRecord, type PodRules } from './map-pod.ts';
import type { VmiLookup } from '../vmis/source.ts';

export interface PodSourceOptions extends WatchSettings, Omit<PodRules, 'resolveLaunchers'> {
  readonly nodeName: string;
  /** The VMI source. Without it, virt-launcher pods are pods like any others. */
  readonly vmis?: VmiLookup | undefined;
}

/** Pods of this node: those that are VMs, the virt-launcher pods of VMIs, and those that mount the instances path for a reason nobody gave. */
export function createPodSource(options: PodSourceOptions): WorkloadSource {
  const instancesPath = normalizeHostPath(options.instancesPath) ?? options.instancesPath;
  const rules: PodRules = { ...options, instancesPath, resolveLaunchers: options.vmis !== undefined };
  const reflector = createReflector({
    ...options,
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${options.nodeName}` },
    select: (pod) => mapPod(pod, rules),
  });
  return {
    name: POD_SOURCE,
    start: () => reflector.start(),
    stop: async () => await reflector.stop(),
    read: async ({ consistent, signal }) => {
      if (consistent) {
        await reflector.listConsistent(signal);
        await options.vmis?.refresh(launchersOf(reflector), signal);
      }
      return reading(reflector, options.vmis);
    },
  };
}

function launchersOf(reflector: Reflector<PodRecord>): readonly Launcher[] {
  return [...reflector.items()].map(({ launcher }) => launcher).filter((launcher) => launcher !== undefined);
}

function reading(reflector: Reflector<PodRecord>, vmis: VmiLookup | undefined): SourceReading {
  const workloads: Workload[] = [];
  const gaps: Gap[] = [];
  for (const { workload, gaps: found, launcher } of reflector.items()) {
    if (workload !== undefined) workloads.push(workload);
    gaps.push(...found);
    if (launcher === undefined || vmis === undefined) continue;
    const resolved = resolve(launcher, vmis);
    if (resolved.workload !== undefined) workloads.push(resolved.workload);
    gaps.push(...resolved.gaps);
  }
  return { status: { name: POD_SOURCE, ...reflector.status() }, workloads, gaps };
}

/** A virt-launcher pod uses what its VMI uses, until the pod is gone: a migrated VMI leaves it behind. */
function resolve({ pod, vmiUid, vmiName }: Launcher, vmis: VmiLookup): { workload?: Workload; gaps: readonly Gap[] } {
  const vmi = vmis.find(vmiUid);
  if (vmi === undefined) {
    const message = `its VirtualMachineInstance ${vmiName ?? vmiUid} has not been seen yet, so the images it uses are unknown`;
    return { gaps: [objectGap('IncompleteWorkload', POD_SOURCE, pod, message)] };
  }
  const gaps = vmis.isReported(vmiUid) ? [] : vmi.gaps.map((gap) => ({ ...gap, source: POD_SOURCE }));
  return { workload: { ...vmi.workload, source: POD_SOURCE, name: displayName(pod), object: pod }, gaps };
}
