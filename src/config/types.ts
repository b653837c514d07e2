import type { Mode, Policy, Preset } from '../model/policy.ts';

/** A Kubernetes label selector: all of it must hold. Never empty. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** Empty for Exists and DoesNotExist. */
  readonly values: readonly string[];
}

/** Pods that may mount the instances path without being a workload. At least one of the two is given; both must hold. */
export interface ExemptPod {
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector | undefined;
}

/** Where a value of a workload comes from: exactly one of `path` and `value`; both compile. */
export interface ValueRule {
  readonly path?: string | undefined;
  readonly match?: string | undefined;
  readonly value?: string | undefined;
  readonly optional: boolean;
}

export type WorkloadField = 'instance' | 'imageRef' | 'kernelId' | 'ramdiskId' | 'swapMb' | 'ephemeral' | 'path';

/** How objects of one kind are read as VMs. `$(NODE_NAME)` is filled in. */
export interface WorkloadRule {
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector | undefined;
  readonly fieldSelector?: string | undefined;
  readonly nodeFrom: readonly ValueRule[];
  readonly fields: Readonly<Record<WorkloadField, readonly ValueRule[]>>;
}

/** When the agent's passes start. Each is later by this node's share of `jitterSeconds`. */
export type Schedule =
  | { readonly kind: 'interval'; readonly intervalSeconds: number; readonly jitterSeconds: number }
  /** `expression` is valid for the package `cron` and fires at some time; `timeZone` is an IANA name. */
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string; readonly jitterSeconds: number };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface SourcesConfig {
  readonly pods: { readonly enabled: boolean; readonly selector?: LabelSelector | undefined };
  readonly virtualMachineInstances: { readonly enabled: boolean };
  readonly rules: readonly WorkloadRule[];
  /** Absent: no workloads file. */
  readonly file?: { readonly path: string } | undefined;
  /** Directories of libvirt's files, as mounted here. Absent: not enabled. */
  readonly libvirt?: { readonly statusPath: string; readonly definitionsPath: string } | undefined;
}

/** How an instances directory that several hosts share is dealt with. */
export interface SharedStorageConfig {
  /** What this host is registered as. */
  readonly hostName: string;
  /** `hostName` before the node's name was put into it: by it, other hosts' names lead to their nodes. */
  readonly hostNamePattern: string;
  readonly hostTimeoutSeconds: number;
  readonly settleSeconds: number;
  readonly staleHosts: 'hold' | 'ignore';
  readonly ignoredHosts: readonly string[];
}

/** A checked configuration with every default filled in. Paths are absolute, normalized and without a trailing slash. */
export interface Config {
  readonly preset: Preset;
  readonly mode: Mode;
  readonly nodeName: string;
  readonly instancesPath: string;
  /** By which image headers and pods name the instances directory. */
  readonly hostInstancesPath: string;
  readonly subdirectoryName: string;
  /** `<instancesPath>/<subdirectoryName>`. */
  readonly basePath: string;
  readonly locksPath: string;
  readonly schedule: Schedule;
  readonly passDeadlineSeconds: number;
  readonly policy: Policy;
  readonly sources: SourcesConfig;
  /** Whether base files are looked at themselves. */
  readonly verify: { readonly enabled: boolean; readonly checksums: { readonly enabled: boolean; readonly bytesPerSecond: number } };
  /** Whether labelled ConfigMaps in the agent's namespace pin images, too. */
  readonly pinConfigMaps: boolean;
  readonly exemptPods: readonly ExemptPod[];
  /** Absent: this host has the instances directory to itself. */
  readonly sharedStorage?: SharedStorageConfig | undefined;
  readonly annotations: boolean;
  readonly events: boolean;
  readonly heartbeatSeconds: number;
  readonly http: { readonly address: string; readonly port: number; readonly report: boolean; readonly statusPage: boolean };
  readonly log: { readonly level: LogLevel };
}

/** One mistake in a configuration. `message` says what is wrong and what to do. */
export interface ConfigError {
  /** Such as `sources.pods.enabled` or `pins.imageRefs[0]`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
  /** Where the value comes from: the file's name, an option such as `--instances-path`, or undefined. */
  readonly origin?: string | undefined;
  /** From 1, where the value was in the file. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}
