import type { LabelSelector } from './label-selector.ts';

/** An agent of nodes: it runs no VM, though it may write to directories far above the instances path. */
export interface KnownAgent {
  readonly name: string;
  readonly selector: LabelSelector;
  /** Far ancestors of the instances path that it mounts. A pod with these labels that reaches anything else is not this agent. */
  readonly hostPaths: readonly string[];
}

/** Where a value of a workload comes from: exactly one of `path` and `value`. */
export interface ValueRule {
  /** JSONPath, in kubectl's notation or RFC 9535's. */
  readonly path?: string | undefined;
  /** RE2 expression that each value must match wholly; its capturing group is what counts. Only with `path`. */
  readonly match?: string | undefined;
  /** The value itself, whatever the object says. */
  readonly value?: string | undefined;
  /** A value that is missing, or does not match, is not a gap. */
  readonly optional: boolean;
}

/** Fields of a workload that a rule can fill, named as in the workloads file. */
export type WorkloadField = 'instance' | 'imageRef' | 'kernelId' | 'ramdiskId' | 'swapMb' | 'ephemeral' | 'path';

/** How objects of one kind are read as VMs. */
export interface WorkloadRule {
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural name of the resource; undefined: found by discovery. */
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector | undefined;
  /** As the API server takes it. */
  readonly fieldSelector?: string | undefined;
  /** Nodes that the object belongs to. None, or one that yields nothing: every node. */
  readonly nodeFrom: readonly ValueRule[];
  readonly fields: Readonly<Partial<Record<WorkloadField, readonly ValueRule[]>>>;
}

/** Pods that may mount the instances path without being a workload. Both conditions must hold; an empty selector matches every pod. */
export interface ExemptPod {
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector | undefined;
}
