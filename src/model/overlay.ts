/** One step of a backing chain below an image. */
export interface BackingLink {
  /** The backing file string as the header holds it, without a `file:` prefix. */
  readonly reference: string;
  /** The name in `_base` when the file lies directly there, else undefined. */
  readonly baseName: string | undefined;
  /** Path relative to the instances path, with links resolved; undefined when outside. */
  readonly path: string | undefined;
  /** Whether the file was seen. */
  readonly exists: boolean;
  /**
   * Names of base files that this step protects: the file itself, and where the reference leads out of what is seen, every base
   * file with the same last component, because the tree may be mounted under another name where the header was written.
   */
  readonly protects: readonly string[];
}

export type OverlayState =
  /** An image whose whole chain was read. */
  | 'ok'
  /** No backing file: a flat image. */
  | 'flat'
  /** A backing file that does not exist: the VM has lost its disk. */
  | 'missing-backing'
  /** The chain ends outside the instances path, in a file that was not seen; a base file of the same name is protected. */
  | 'unknown-backing'
  /**
   * It, or a file of its chain, could not be read or understood: a damaged header, unknown features, a reference that may mean
   * any file, a chain that may go on outside, a cycle, too many levels. It may be backed by any base file.
   */
  | 'unreadable';

/** A disk, or another image that is not a base file, with what it is backed by. */
export interface Overlay {
  /** Name of the instance directory; of the file itself where it lies directly in the instances path; empty outside. */
  readonly instance: string;
  /** Path relative to the instances path, such as `instance-00000001/disk`; absolute outside. */
  readonly path: string;
  readonly state: OverlayState;
  readonly chain: readonly BackingLink[];
  /** For every state but `ok` and `flat`: what is wrong, naming the file where it is not the overlay itself. */
  readonly message?: string | undefined;
  /**
   * By whose word the bytes are a guest's own (`disk.info`, `libvirt`): what they name is protected, but what they break or leave
   * unclear says nothing about other files. Undefined: nobody says so.
   */
  readonly declaredRawBy?: string | undefined;
  /** Something is wrong with what its header names, and nobody says that it is an image: a guest may have written that header. Default false. */
  readonly isUnstated?: boolean | undefined;
}

/** A file of `_base`, or of the trash below it, that names other files. */
export interface BaseImage {
  /** Its name there. */
  readonly name: string;
  readonly inTrash: boolean;
  readonly state: OverlayState;
  readonly chain: readonly BackingLink[];
  readonly message?: string | undefined;
  readonly declaredRawBy?: string | undefined;
}

/** Why something was not seen. */
export type UnseenCause = 'NotEntered' | 'NotOpened' | 'NotFollowed' | 'NotUnderstood' | 'NotAnImageFile' | 'NotThere' | 'Changing';

/** Something that may lead to a base file and was not looked at, could not be read, or was not understood. */
export interface Unseen {
  /** Relative to the instances path; absolute outside. */
  readonly path: string;
  readonly cause: UnseenCause;
  /** What is wrong, and what a person can do. Does not repeat the path. */
  readonly message: string;
}

/** A file that a source names, wherever it lies. */
export interface NamedDisk {
  /** Absolute, as on the host. */
  readonly path: string;
  /** The format by which the hypervisor opens it; undefined where the source does not say. */
  readonly format?: string | undefined;
  /** It need not be seen: a kernel or firmware, whose bytes are loaded as they are, or a file that is named for something else than a disk. Default false. */
  readonly isLoaded?: boolean | undefined;
  /** The workload. */
  readonly by: string;
  /** It runs on another host: outside the instances path, the file is not one of this host. Default false. */
  readonly isElsewhere?: boolean | undefined;
}

/** Lock files that were seen to be empty. */
export interface KnownLocks {
  /** Of some thousands at most. */
  readonly names: ReadonlySet<string>;
  /** Whether the lock directory, of which lstat says this, has the same names as then, and nothing else was in it. */
  isUnchanged(stats: { readonly dev: bigint; readonly ino: bigint; readonly ctimeNs: bigint }): boolean;
}

/** All that is backed by something, whole chains: every image below the instances path, and every file that a source names. */
export interface OverlayScan {
  readonly overlays: readonly Overlay[];
  readonly baseImages: readonly BaseImage[];
  readonly unseen: readonly Unseen[];
  /** Entries that the configuration's `ignore` takes out of `unseen`. */
  readonly ignored: readonly Unseen[];
  readonly emptyLocks?: KnownLocks | undefined;
  /** Headers read from disk and taken from the cache: for metrics and tests. */
  readonly headersRead: number;
  readonly headersCached: number;
}
