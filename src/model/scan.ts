import type { FilesystemUsage } from './filesystem.ts';
import type { Rows } from './rows.ts';

/**
 * What a name in `_base` stands for, by the rules of Nova's `_scan_base_images`.
 * `foreign` is everything else: never touched, never removed.
 */
export type BaseFileKind = 'original' | 'resized' | 'legacy' | 'swap' | 'ephemeral' | 'foreign';

export const BASE_FILE_KINDS: readonly BaseFileKind[] = ['original', 'resized', 'legacy', 'swap', 'ephemeral', 'foreign'];

/** A directory entry of `_base` as one lstat saw it. */
export interface BaseFile {
  readonly name: string;
  readonly kind: BaseFileKind;
  /** Apparent size (`st_size`). */
  readonly sizeBytes: number;
  /** `st_blocks * 512`: what removing the file would free at most. */
  readonly allocatedBytes: number;
  /** mtime, milliseconds since the epoch, with sub-millisecond fraction. */
  readonly modifiedAtMs: number;
  /** mtime in nanoseconds: the exact value that the executor compares again. */
  readonly modifiedAtNs: bigint;
  readonly device: bigint;
  readonly inode: bigint;
}

/** Something a scan could not read. Never silently dropped: it makes the scan incomplete. */
export interface ScanProblem {
  /** Path relative to the instances path. */
  readonly path: string;
  /** errno name such as `EACCES`. */
  readonly code: string;
  /** What is wrong and what to do; does not repeat the path. */
  readonly message: string;
}

/** The result of listing `_base` once. Taken before any reference is collected. */
export interface BaseScan {
  /** Absolute path of `_base`. */
  readonly basePath: string;
  /** False when `_base` does not exist; then there is nothing to do (Nova returns quietly as well). */
  readonly exists: boolean;
  readonly files: Rows<BaseFile>;
  /** The latest `modifiedAtMs` of all files, or one that is later; -∞ where there are none. Spares a look at every file for one from the future. */
  readonly newestModifiedAtMs: number;
  /** Entries that are not regular files (directories, links, devices, sockets, FIFOs), by count only. */
  readonly irregularEntries: number;
  /** sha1 → mtime (ms) of its newest `.part` or `.converted` file: a download in progress keeps its image busy. */
  readonly partialDownloads: ReadonlyMap<string, number>;
  readonly problems: readonly ScanProblem[];
  /** Names of regular files whose headers were read before and which have not changed since: they hold no image format. */
  readonly knownRaw?: ReadonlySet<string> | undefined;
  /** Base directory and lock directory, where every user of the node may write to them. */
  readonly openDirectories?: readonly string[] | undefined;
  /** Undefined where there is no trash. */
  readonly trash?: TrashScan | undefined;
  readonly filesystem: FilesystemUsage | undefined;
  /** Nova's `get_disk_usage`: allocated bytes of all regular files; 0 when `_base` is on another device than the instances path. */
  readonly cacheUsageBytes: number;
  /** Undefined where there is no budget to compare it with. */
  readonly footprint?: Footprint | undefined;
}

/** What everything below the base directory takes on its file system, as `du -x` counts it: the trash, and what we do not understand, as well. */
export interface Footprint {
  /** Allocated blocks; a file with several names counts once. */
  readonly bytes: number;
  /** Entries that could not be looked at, or into: there is more than `bytes` says. */
  readonly unseenEntries: number;
  /** `device:inode` of files whose removal frees nothing for sure: they have several names, or lie on another file system. */
  readonly freeNothing: ReadonlySet<string>;
}

/** A removed file in the trash as one lstat saw it; `name` is that of the base file that it was. */
export interface TrashedFile extends BaseFile {
  /** Its name in the trash. */
  readonly entry: string;
  /** When it was moved there, milliseconds since the epoch. */
  readonly trashedAtMs: number;
}

/** The result of listing the trash once. */
export interface TrashScan {
  readonly files: Rows<TrashedFile>;
  /** Entries that are not ours, by count only: never touched. */
  readonly foreignEntries: number;
  /** They close no gate: what cannot be seen here can neither be put back nor removed. */
  readonly problems: readonly ScanProblem[];
}
