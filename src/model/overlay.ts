import type { ScanProblem } from './scan.ts';

/** One step of a backing chain below an overlay. */
export interface BackingLink {
  /** The backing file string as the header holds it, without a `file:` prefix. */
  readonly reference: string;
  /** The name in `_base` when the file lies there, else undefined. */
  readonly baseName: string | undefined;
  /** Path relative to the instances path; undefined when outside (never opened). */
  readonly path: string | undefined;
  /** False also when `path` is undefined: what lies outside is never looked at. */
  readonly exists: boolean;
}

export type OverlayState =
  /** A qcow2 (or raw) file whose whole chain was read. */
  | 'ok'
  /** No backing file: a flat image. */
  | 'flat'
  /** A backing file that does not exist: the VM has lost its disk. */
  | 'missing-backing'
  /** The chain was understood: it ends outside the instances path or on another machine, in a file that is declared raw. */
  | 'unknown-backing'
  /**
   * It, or a file of its chain, could not be read or understood: a damaged or foreign header, unknown features, a reference that
   * may mean any file, a chain whose rest is unknown, a cycle, too many levels, a symbolic link. It may stand on any base file.
   */
  | 'unreadable';

export interface Overlay {
  /** Name of the instance directory. */
  readonly instance: string;
  /** Path relative to the instances path, such as `instance-00000001/disk`. */
  readonly path: string;
  readonly state: OverlayState;
  readonly chain: readonly BackingLink[];
  /** For every state but `ok` and `flat`: what is wrong, naming the file where it is not the overlay itself. */
  readonly message?: string | undefined;
}

/** What stands on the base files, whole chains, of all instance directories. */
export interface OverlayScan {
  readonly overlays: readonly Overlay[];
  /** Directories or files that could not be listed: evidence is missing. */
  readonly problems: readonly ScanProblem[];
  /** Headers read from disk and taken from the cache: for metrics and tests. */
  readonly headersRead: number;
  readonly headersCached: number;
}
