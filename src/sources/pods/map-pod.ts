import { asArray, asObject, asText, at, field } from '../../lib/json.ts';
import type { ExemptPod } from '../../model/workload-rule.ts';
import type { Gap, ObjectReference, Workload } from '../../model/workload.ts';
import { readAnnotations } from './annotations.ts';
import type { FieldValues } from '../take-field.ts';
import { isBelow, overlaps } from '../host-paths.ts';
import { matchesLabels, type LabelSelector } from '../../model/label-selector.ts';
import { exemption } from '../../lib/exemption.ts';
import { holdingPath, isNear, type ReachRules } from './reach/holding-mount.ts';
import { claimsOf, hostVolumes, isOver, reachedPaths, type ReachedPath } from './reach/mounts.ts';
import { displayName, objectGap, referenceOf, stringMap } from '../objects.ts';
import { instanceNamesOf } from '../workload-fields.ts';

export const POD_SOURCE = 'pods';

const SYSTEM_DIRECTORIES = ['/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/run', '/sys', '/usr', '/var/run'];

export interface PodRules extends ReachRules {
  /** Pods that are VMs; others are recognised by our annotations. Undefined: only by annotations. */
  readonly selector?: LabelSelector | undefined;
  readonly exemptPods: readonly ExemptPod[];
  /** Our own namespace: pods in it that carry `app.kubernetes.io/part-of: basekeeper`, ourselves among them, are exempt. */
  readonly ownNamespace?: string | undefined;
  /** The PersistentVolumes of pods are looked up. Default false. */
  readonly readsClaims?: boolean | undefined;
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
  /** Undefined: no volume of it has to be looked up. */
  readonly claiming?: ClaimingPod | undefined;
}

/** A pod that uses claims. */
export interface ClaimingPod {
  readonly object: ObjectReference;
  /** Names of its claims. */
  readonly claims: readonly string[];
  /** The pod again, as it is with the directories of the host that its claims lead to, by their names. */
  map(claimed: ReadonlyMap<string, string>): PodRecord | undefined;
}

/**
 * Maps a pod of this node; undefined when it is not our business. What exists, protects, in every phase; only a pod that can
 * reach the instances path, or that a selector names, is asked.
 */
export function mapPod(pod: unknown, rules: PodRules): PodRecord | undefined {
  const record = recordOf(pod, rules);
  if (record?.launcher !== undefined || rules.readsClaims !== true) return record;
  const claims = [...new Set(claimsOf(pod))];
  const object = referenceOf(pod, 'v1', 'Pod');
  const isAsked = claims.length > 0 && !isOver(pod) && !isExempt(object, stringMap(at(pod, 'metadata', 'labels')), rules);
  if (!isAsked) return record;
  const claiming: ClaimingPod = { object, claims, map: (claimed) => recordOf(pod, rules, claimed) };
  return { workload: undefined, gaps: [], launcher: undefined, ...record, claiming };
}

function recordOf(pod: unknown, rules: PodRules, claimed?: ReadonlyMap<string, string>): PodRecord | undefined {
  const object = referenceOf(pod, 'v1', 'Pod');
  const labels = stringMap(at(pod, 'metadata', 'labels'));
  const launcher = rules.resolveLaunchers ? launcherOf(pod, object, labels) : undefined;
  const selected = rules.selector !== undefined && matchesLabels(rules.selector, labels);
  const volumes = hostVolumes(pod, rules, claimed);
  const reached = isOver(pod) ? [] : reachedPaths(pod, volumes);
  const subject: Subject = {
    object,
    labels,
    launcher,
    selected,
    mounts: [...new Set([...volumes.values()].map(({ path }) => path))],
    files: [...volumes.values()].filter(({ isFile }) => isFile).map(({ path }) => path),
    reached,
  };
  const fields = believes(subject, rules) ? readAnnotations(asObject(at(pod, 'metadata', 'annotations'))) : undefined;
  if (fields !== undefined) return annotatedPod(subject, fields, rules);
  if (launcher !== undefined) return { workload: undefined, gaps: [], launcher };
  return selected ? silentVm(subject, rules) : unexplainedPod(subject, rules);
}

/** What is known of a pod before its annotations are read. */
interface Subject {
  readonly object: ObjectReference;
  readonly labels: ReadonlyMap<string, string>;
  readonly launcher: Launcher | undefined;
  readonly selected: boolean;
  /** Host paths of its volumes, mounted or not. */
  readonly mounts: readonly string[];
  /** Those of them that it says are files. */
  readonly files: readonly string[];
  /** What its containers reach of them; nothing once all have ended. */
  readonly reached: readonly ReachedPath[];
}

/** Anybody can annotate a pod of theirs. Only who may mount the host's directories, or was named by the operator, is believed. */
function believes({ selected, launcher, mounts }: Subject, { instancesPath }: PodRules): boolean {
  return selected || launcher !== undefined || mounts.some((path) => overlaps(path, instancesPath));
}

function annotatedPod(subject: Subject, fields: FieldValues, rules: PodRules): PodRecord | undefined {
  const { object, launcher } = subject;
  if (!isVm(subject, fields, rules)) return undefined;
  const gaps = fields.problems.map((problem) => objectGap('IncompleteWorkload', POD_SOURCE, object, problem));
  return { workload: podWorkload(subject, fields, rules), gaps, launcher };
}

/** False for a pod that only says that it uses no image, and cannot write near the instances path: an exporter, which is not a VM. */
function isVm({ selected, launcher, reached }: Subject, fields: FieldValues, { instancesPath }: PodRules): boolean {
  if (selected || launcher !== undefined || Object.values(fields).some((values: readonly unknown[]) => values.length > 0)) return true;
  return reached.some((part) => !part.readOnly && isNear(part, instancesPath));
}

function silentVm(subject: Subject, rules: PodRules): PodRecord {
  const message = 'it is selected as a VM, but no basekeeper.io annotation says which images it uses (an empty image-ref says: none)';
  return {
    workload: podWorkload(subject, undefined, rules),
    gaps: [objectGap('IncompleteWorkload', POD_SOURCE, subject.object, message)],
    launcher: undefined,
  };
}

function unexplainedPod({ object, labels, reached }: Subject, rules: PodRules): PodRecord | undefined {
  const part = isExempt(object, labels, rules) ? undefined : holdingPath(reached, labels, rules);
  if (part === undefined) return undefined;
  const how = `${part.readOnly ? ' read-only' : ''}${part.anywhere ? ' or something below that only the kubelet knows' : ''}`;
  const message =
    `it mounts ${JSON.stringify(part.path)}${how}, but no rule says which images it uses: ` +
    `annotate it, or list it in exemptPods. If it runs no VM: ${exemption(object, labels)}`;
  return { workload: undefined, gaps: [objectGap('UnmappedWorkload', POD_SOURCE, object, message)], launcher: undefined };
}

function podWorkload({ object, mounts, files, reached }: Subject, fields: FieldValues | undefined, rules: PodRules): Workload {
  const paths = new Set([...mounts, ...reached.map(({ path }) => path)]);
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
    paths: [...paths].filter((path) => isBelow(path, rules.instancesPath)),
    disks: [...new Set(files)].filter((path) => !isBelow(path, rules.instancesPath) && !isOfTheSystem(path)).map((path) => ({ path })),
  };
}

/** A file that a host has anyway, such as `/etc/localtime`: no VM has its disk there. */
function isOfTheSystem(path: string): boolean {
  return SYSTEM_DIRECTORIES.some((directory) => isBelow(path, directory));
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
