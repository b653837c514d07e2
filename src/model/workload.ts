import type { SharedStorage } from './shared-storage.ts';

/** An API object as events need it; a workload from a file has none. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export type ImageRole = 'image' | 'kernel' | 'ramdisk';

/** An image reference: an opaque UTF-8 string, hashed exactly as given. Never empty (except in Nova parity). */
export interface ImageReference {
  readonly role: ImageRole;
  readonly ref: string;
}

export interface EphemeralDisk {
  readonly sizeGb: number;
  /** File system name or mkfs command: Nova names the file by the first 7 hex digits of its MD5. Undefined: Nova's default (vfat). */
  readonly filesystem?: string | undefined;
}

/** One VM as a source describes it. Every phase protects while the object exists. */
export interface Workload {
  readonly source: string;
  /** What people call it: `namespace/name`, or the instance's name. */
  readonly name: string;
  readonly object?: ObjectReference | undefined;
  /** Directory names below the instances path that may hold its disks: name, uuid. */
  readonly instanceNames: readonly string[];
  /** True while resizing or RESIZED: `<name>_resize` is then an instance directory as well. */
  readonly resizing: boolean;
  readonly images: readonly ImageReference[];
  readonly swapMb: readonly number[];
  readonly ephemeral: readonly EphemeralDisk[];
  /** Absolute host paths of files it uses directly (hostDisk, libvirt disks and their backing stores). */
  readonly paths: readonly string[];
  /** Absolute host paths that it names for whatever else: a base file there is in use, and nothing is said about any other file. */
  readonly mentions?: readonly string[] | undefined;
  /** Disks that the source names, wherever they lie, with the format by which the hypervisor opens them: images may be backed by base files. */
  readonly disks?: readonly WorkloadDisk[] | undefined;
  /** It runs on another host that shares the instances path: a path outside is a file of that host. Default false. */
  readonly isElsewhere?: boolean | undefined;
}

export interface WorkloadDisk {
  /** Absolute, as on the host. */
  readonly path: string;
  /** QEMU's name; undefined where the source does not say. */
  readonly format?: string | undefined;
  /** It need not be seen: a kernel or firmware, whose bytes are loaded as they are, or a file that is named for something else than a disk. Default false. */
  readonly isLoaded?: boolean | undefined;
}

export type GapKind = 'UnmappedWorkload' | 'IncompleteWorkload' | 'UnreadableSource';

/** Something a source could not find out. A gap closes the gate: what is not known may be in use. */
export interface Gap {
  readonly kind: GapKind;
  readonly source: string;
  readonly object?: ObjectReference | undefined;
  /** What is unknown, where, and what to do about it. */
  readonly message: string;
}

/** `absent`: the source's API does not exist (a CRD that is not installed); nothing can come from it. */
export type SourceState = 'synced' | 'syncing' | 'failed' | 'absent';

export interface SourceStatus {
  readonly name: string;
  readonly state: SourceState;
  /** Wall clock (ms) of the last event, bookmark or list; undefined before the first. */
  readonly lastContactMs: number | undefined;
  /** The source is stale when its last contact is longer ago than this (ms). */
  readonly freshLimitMs: number;
  /** Wall clock (ms) at the *start* of the last consistent (quorum) LIST that succeeded; undefined before the first. */
  readonly consistentListAtMs: number | undefined;
  /** Why it is not synced. */
  readonly message?: string | undefined;
  /** Of the API server, as the source knows it; undefined for one that watches nothing, or several kinds. */
  readonly resourceVersion?: string | undefined;
}

/** What is to be kept though nothing uses it, and who says so. */
export interface Pin {
  /** For people: `configuration`, `ConfigMap ns/name`, `annotation basekeeper.io/pin`. */
  readonly origin: string;
  readonly imageRefs: readonly string[];
  /** Globs over file names. */
  readonly fileNames: readonly string[];
  /** Of `imageRefs`, those that should be on this node. */
  readonly wanted?: readonly string[] | undefined;
}

export interface SourceReading {
  readonly status: SourceStatus;
  readonly workloads: readonly Workload[];
  readonly gaps: readonly Gap[];
  readonly pins?: readonly Pin[] | undefined;
  /** What it cannot see although it works, and what to do about it. Holds nothing. */
  readonly notes?: readonly string[] | undefined;
  /** Of the source that knows with whom the directory is shared. */
  readonly sharedStorage?: SharedStorage | undefined;
}

/** What all sources said together. */
export interface Inventory {
  readonly sources: readonly SourceStatus[];
  readonly workloads: readonly Workload[];
  readonly gaps: readonly Gap[];
  /** Besides those of the configuration. */
  readonly pins?: readonly Pin[] | undefined;
  /** What sources cannot see although they work. */
  readonly notes?: readonly string[] | undefined;
  /** Undefined: this host has the instances directory to itself. */
  readonly sharedStorage?: SharedStorage | undefined;
}
