import { asArray, asObject, asText, at, field } from '../../lib/json.ts';
import type { ExemptPod } from '../../model/workload-rule.ts';
import type { Gap, ObjectReference, Workload } from '../../model/workload.ts';
import { readAnnotations, type AnnotatedFields } from './annotations.ts';
import { isBelow, normalizeHostPath, overlaps } from '../host-paths.ts';
import { matchesLabels, type LabelSelector } from '../../model/label-selector.ts';
import { displayName, objectGap, referenceOf, stringMap } from '../objects.ts';
import { instanceNamesOf } from '../workload-fields.ts';

export const POD_SOURCE = 'pods';

export interface PodRules {
  /** Pods that are VMs; others are recognised by our annotations. Undefined: only by annotations. */
  readonly selector?: LabelSelector | undefined;
  readonly exemptPods: readonly ExemptPod[];
  /** As on the host; normalized. */
  readonly instancesPath: string;
  /** Our own namespace: pods in it that carry `app.kubernetes.io/part-of: basekeeper`, ourselves among them, are exempt. */
  readonly ownNamespace?: string | undefined;
  /** False: virt-launcher pods are pods like any others. */
  readonly resolveLaunchers: boolean;
}

/** The VMI that a virt-launcher pod runs. */
export interface Launcher {
  readonly pod: ObjectReference;
  readonly vmiUid: string;
  /** Undefined when the pod has no owner that names it. */
  readonly vmiName: string | undefined;
}

/** What is kept of a pod. */
export interface PodRecord {
  readonly workload: Workload | undefined;
  readonly gaps: readonly Gap[];
  readonly launcher: Launcher | undefined;
}

/** Maps a pod of this node; undefined when it is none of our business. Phase and deletionTimestamp play no part: what exists, protects. */
export function mapPod(pod: unknown, rules: PodRules): PodRecord | undefined {
  const object = referenceOf(pod, 'v1', 'Pod');
  const labels = stringMap(at(pod, 'metadata', 'labels'));
  const fields = readAnnotations(asObject(at(pod, 'metadata', 'annotations')));
  const launcher = rules.resolveLaunchers ? launcherOf(pod, object, labels) : undefined;
  const selected = rules.selector !== undefined && matchesLabels(rules.selector, labels);
  const gaps = (fields?.problems ?? []).map((problem) => objectGap('IncompleteWorkload', POD_SOURCE, object, problem));
  const mounts = hostPaths(pod);
  if (fields !== undefined) return { workload: podWorkload(object, fields, mounts, rules), gaps, launcher };
  if (launcher !== undefined) return { workload: undefined, gaps, launcher };
  if (selected) {
    const message = 'it is selected as a VM, but no basekeeper.io annotation says which images it uses (an empty image-ref says: none)';
    return {
      workload: podWorkload(object, undefined, mounts, rules),
      gaps: [objectGap('IncompleteWorkload', POD_SOURCE, object, message)],
      launcher,
    };
  }
  const mount = isExempt(object, labels, rules) ? undefined : mounts.find((path) => overlaps(path, rules.instancesPath));
  if (mount === undefined) return undefined;
  const message = `it mounts ${JSON.stringify(mount)}, but no rule says which images it uses: annotate it, or list it in exemptPods`;
  return { workload: undefined, gaps: [objectGap('UnmappedWorkload', POD_SOURCE, object, message)], launcher };
}

function podWorkload(object: ObjectReference, fields: AnnotatedFields | undefined, mounts: readonly string[], rules: PodRules): Workload {
  return {
    source: POD_SOURCE,
    name: displayName(object),
    object,
    instanceNames: instanceNamesOf(...(fields?.instanceNames ?? []), object.name, object.uid),
    // Nothing says whether Nova is resizing it: protect as if it were.
    resizing: true,
    images: fields?.images ?? [],
    swapMb: fields?.swapMb ?? [],
    ephemeral: fields?.ephemeral ?? [],
    paths: mounts.filter((path) => isBelow(path, rules.instancesPath)),
  };
}

function launcherOf(pod: unknown, object: ObjectReference, labels: ReadonlyMap<string, string>): Launcher | undefined {
  if (labels.get('kubevirt.io') !== 'virt-launcher') return undefined;
  const owners = asArray(at(pod, 'metadata', 'ownerReferences')) ?? [];
  const owner = owners.find((entry) => field(entry, 'kind') === 'VirtualMachineInstance');
  const vmiUid = asText(field(owner, 'uid')) ?? labels.get('kubevirt.io/created-by');
  return vmiUid === undefined ? undefined : { pod: object, vmiUid, vmiName: asText(field(owner, 'name')) };
}

function isExempt(object: ObjectReference, labels: ReadonlyMap<string, string>, rules: PodRules): boolean {
  if (object.namespace === rules.ownNamespace && labels.get('app.kubernetes.io/part-of') === 'basekeeper') return true;
  return rules.exemptPods.some(
    (exempt) => (exempt.namespace === undefined || exempt.namespace === object.namespace) && matchesLabels(exempt.selector ?? {}, labels),
  );
}

/** The normalized host paths of its volumes. One that cannot be understood may be anything: it counts as `/`. */
function hostPaths(pod: unknown): readonly string[] {
  const volumes = asArray(at(pod, 'spec', 'volumes')) ?? [];
  const paths = volumes.map((volume) => asText(at(volume, 'hostPath', 'path'))).filter((path) => path !== undefined);
  return [...new Set(paths.map((path) => normalizeHostPath(path) ?? '/'))];
}
