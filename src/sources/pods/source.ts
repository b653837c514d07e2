import { createReflector } from '../../kube/watch/reflector.ts';
import type { Reflector, WatchSettings } from '../../kube/watch/options.ts';
import type { WorkloadSource } from '../../model/ports.ts';
import type { Gap, SourceReading, Workload } from '../../model/workload.ts';
import { normalizeHostPath } from '../host-paths.ts';
import { displayName, objectGap } from '../objects.ts';
import { listSome } from '../../lib/text.ts';
import { createClaims, type ClaimReference, type Claims } from './claims/claims.ts';
import { POD_SOURCE, mapPod, type ClaimingPod, type Launcher, type PodRecord, type PodRules } from './map-pod.ts';
import type { VmiLookup } from '../vmis/source.ts';

/** A gap names so many of them. */
const CLAIMS_IN_GAP = 3;

export interface PodSourceOptions extends WatchSettings, Omit<PodRules, 'resolveLaunchers'> {
  readonly nodeName: string;
  /** The VMI source. Without it, virt-launcher pods are pods like any others. */
  readonly vmis?: VmiLookup | undefined;
}

/** Pods of this node: those that are VMs, the virt-launcher pods of VMIs, and those that mount the instances path for a reason nobody gave. */
export function createPodSource(options: PodSourceOptions): WorkloadSource {
  const instancesPath = normalizeHostPath(options.instancesPath) ?? options.instancesPath;
  const rules: PodRules = { ...options, instancesPath, resolveLaunchers: options.vmis !== undefined };
  const claims = options.readsClaims === true ? createClaims(options.client, rules) : undefined;
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
      await claims?.refresh(claimsIn(reflector), { again: consistent, signal });
      return reading(reflector, options.vmis, claims);
    },
  };
}

function launchersOf(reflector: Reflector<PodRecord>): readonly Launcher[] {
  return [...reflector.items()].map(({ launcher }) => launcher).filter((launcher) => launcher !== undefined);
}

function claimsIn(reflector: Reflector<PodRecord>): ClaimReference[] {
  return [...reflector.items()].flatMap(({ claiming }) => claiming?.claims.map((name) => referenceTo(claiming, name)) ?? []);
}

function referenceTo({ object }: ClaimingPod, name: string): ClaimReference {
  return { podUid: object.uid, namespace: object.namespace ?? '', name };
}

/** The record with what its claims turned out to be. */
function withClaims(record: PodRecord, claims: Claims | undefined): PodRecord {
  const { claiming } = record;
  if (claiming === undefined || claims === undefined) return record;
  const found = claiming.claims.map((name) => [name, claims.find(referenceTo(claiming, name))] as const);
  const paths = new Map(found.flatMap(([name, volume]) => (volume.kind === 'host' ? [[name, volume.path] as const] : [])));
  const unknown = found.flatMap(([name, volume]) => (volume.kind === 'unknown' ? [[name, volume.why] as const] : []));
  const gaps = [...Map.groupBy(unknown, ([, why]) => why)].map(([why, some]) => {
    const names = some.map(([name]) => name);
    return objectGap('IncompleteWorkload', POD_SOURCE, claiming.object, unknownClaims(names, why));
  });
  const mapped = paths.size === 0 ? record : (claiming.map(paths) ?? record);
  return gaps.length === 0 ? mapped : { ...mapped, gaps: [...mapped.gaps, ...gaps] };
}

function unknownClaims(names: readonly string[], why: string): string {
  const quoted = names.map((name) => JSON.stringify(name));
  return `its volume claim${names.length === 1 ? '' : 's'} ${listSome(quoted, CLAIMS_IN_GAP)} may lead to the instances path: ${why}; the next pass asks again`;
}

function notesOf(claims: Claims | undefined): readonly string[] {
  const problem = claims?.problem();
  if (problem === undefined) return [];
  return [
    `a PersistentVolume that leads to the instances path is not seen: ${problem}; let the agent get persistentvolumeclaims and persistentvolumes, or set sources.pods.persistentVolumes: false`,
  ];
}

function reading(reflector: Reflector<PodRecord>, vmis: VmiLookup | undefined, claims: Claims | undefined): SourceReading {
  const workloads: Workload[] = [];
  const gaps: Gap[] = [];
  for (const item of reflector.items()) {
    const { workload, gaps: found, launcher } = withClaims(item, claims);
    if (workload !== undefined) workloads.push(workload);
    gaps.push(...found);
    if (launcher === undefined || vmis === undefined) continue;
    const resolved = resolve(launcher, vmis);
    if (resolved.workload !== undefined) workloads.push(resolved.workload);
    gaps.push(...resolved.gaps);
  }
  return { status: { name: POD_SOURCE, ...reflector.status() }, workloads, gaps, notes: notesOf(claims) };
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
