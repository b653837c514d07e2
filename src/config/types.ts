import type { LabelSelector } from '../model/label-selector.ts';
import type { Mode, Policy, Preset, Schedule } from '../model/policy.ts';
import type { LogLevel } from '../model/ports.ts';
import type { ExemptPod, KnownAgent, WorkloadRule } from '../model/workload-rule.ts';

export interface SourcesConfig {
  readonly pods: { readonly enabled: boolean; readonly persistentVolumes: boolean; readonly selector?: LabelSelector | undefined };
  readonly virtualMachineInstances: { readonly enabled: boolean };
  readonly rules: readonly WorkloadRule[];
  /** Absent: no workloads file. */
  readonly file?: { readonly path: string; readonly required: boolean; readonly maximumAgeSeconds: number } | undefined;
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

/** Where removals are recorded, and how much of it is kept. */
export interface LedgerConfig {
  /** False: removals are not recorded. */
  readonly enabled: boolean;
  /** Of all hosts. */
  readonly directory: string;
  /** The name of this host's directory in it. */
  readonly host: string;
  readonly maxBytes: number;
  readonly maxAgeDays: number;
}

/** What the agent answers to whom. */
export interface HttpConfig {
  readonly address: string;
  readonly port: number;
  /** Of status page and report, on loopback. */
  readonly pagesPort: number;
  readonly report: boolean;
  readonly statusPage: boolean;
  /** Of the documents that the status page links to. */
  readonly documentsUrl?: string | undefined;
  /** `network`: status page and report are on `port` as well, for those whom the API server lets. */
  readonly pages: 'loopback' | 'network';
  readonly metrics: 'open' | 'reviewed';
  /** Absent: `port` is without TLS. */
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string } | undefined;
  readonly hostNames: readonly string[];
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
  readonly ledger: LedgerConfig;
  /** Whether base files are looked at themselves. */
  readonly verify: { readonly enabled: boolean; readonly checksums: { readonly enabled: boolean; readonly bytesPerSecond: number } };
  /** Whether labelled ConfigMaps in the agent's namespace pin images as well. */
  readonly pinConfigMaps: boolean;
  readonly exemptPods: readonly ExemptPod[];
  readonly knownAgents: readonly KnownAgent[];
  /** Absent: this host has the instances directory to itself. */
  readonly sharedStorage?: SharedStorageConfig | undefined;
  /** Where neither sharedStorage.enabled nor sharedStorage.alone is set: what this host is registered as, and how long a registration counts. */
  readonly undeclared?: { readonly hostName: string; readonly hostTimeoutSeconds: number } | undefined;
  readonly annotations: boolean;
  readonly events: boolean;
  readonly heartbeatSeconds: number;
  readonly http: HttpConfig;
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
