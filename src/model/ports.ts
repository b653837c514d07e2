import type { BaseFile, BaseScan } from './scan.ts';
import type { FilesystemUsage } from './filesystem.ts';
import type { KnownLocks, NamedDisk, OverlayScan } from './overlay.ts';
import type { FileIdentity, Plan } from './plan.ts';
import type { LedgerState, RemovalRecord } from './ledger/recorder.ts';
import type { Report } from './report.ts';
import type { Outcome } from './reasons.ts';
import type { RegistryReading } from './shared-storage.ts';
import type { ClockReading, GateObjections } from './snapshot.ts';
import type { Verification } from './verification.ts';
import type { SourceReading } from './workload.ts';

/** Lists workloads. Problem is data (`status`, `gaps`), never an exception. Twin: `memorySource`. */
export interface WorkloadSource {
  readonly name: string;
  /** Starts watching in the background; returns at once. Sources that read on demand do nothing. */
  start(): void;
  stop(): Promise<void>;
  /**
   * What the source knows. With `consistent`, one quorum LIST is taken during this call and its start is reported as
   * `status.consistentListAtMs`; without it, no request is made.
   */
  read(options: { readonly consistent: boolean; readonly signal?: AbortSignal | undefined }): Promise<SourceReading>;
}

/** Lists `_base`. Throws only for what makes a pass impossible; a missing `_base` is a value. */
export interface BaseScanner {
  scan(options?: { readonly signal?: AbortSignal | undefined }): Promise<BaseScan>;
}

/** Looks at what a pass relies on without asking: the directories themselves, who else has them, and the clock. */
export interface Surroundings {
  /** With `mayWrite`, also what a file says that is made for that, and goes at once. */
  inspect(options?: { readonly mayWrite?: boolean }): GateObjections;
}

/** Looks whether base files are what their names say. Throws the abort signal's reason only. */
export interface BaseVerifier {
  verify(scan: BaseScan, options?: { readonly signal?: AbortSignal | undefined }): Promise<Verification>;
}

/** What the checksums of base files have shown so far. Twin: an object. */
export interface ChecksumRecords {
  /** Why the file failed its last checksum check, or undefined. */
  mismatchOf(file: Pick<BaseFile, 'name' | 'inode' | 'sizeBytes'>): string | undefined;
}

/** Reads what is backed by the base files. */
export interface OverlayScanner {
  /**
   * `instanceNames` restricts the scan where the policy says `overlays: nova`; else everything below the instances path counts,
   * and `disks`, which sources name, wherever they lie.
   */
  scan(options: {
    readonly instanceNames: ReadonlySet<string>;
    readonly disks?: readonly NamedDisk[] | undefined;
    /**
     * Names of base files that were seen to be raw in this pass. Where a file is about to go, only those that
     * nobody uses: who names a base file that is used, or too young to go, is asked again.
     */
    readonly knownRaw?: Pick<ReadonlySet<string>, 'has'> | undefined;
    /** Lock files that were seen to be empty in this pass. */
    readonly emptyLocks?: KnownLocks | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<OverlayScan>;
}

/** A lock that is held. */
export interface HeldLock {
  readonly waitedSeconds: number;
  /** Releases it; with `remove`, the lock file goes first (Nova's `remove_external_lock_file`). Never throws. */
  release(options: { readonly remove: boolean }): void;
}

/** `<instances>/locks/nova-<file name>` as a POSIX/OFD write record lock: what Nova's `utils.synchronized(external=True)` takes. */
export interface FileLocker {
  /**
   * Undefined when the lock stayed busy for `timeoutSeconds` or when `signal` aborted the wait. Throws an errno error when the
   * lock cannot be had at all.
   */
  acquire(
    fileName: string,
    options: { readonly timeoutSeconds: number; readonly signal?: AbortSignal | undefined },
  ): Promise<HeldLock | undefined>;
  /** For the locks of a batch. Never throws. */
  batch(): LockBatch;
}

/** Locks that are tried, and never waited for: anyone who waits while it holds others may wait for ever. */
export interface LockBatch {
  /** Undefined while somebody else holds it. Throws as `FileLocker.acquire` does. */
  tryLock(fileName: string): HeldLock | undefined;
  /** After the last of its locks was released. */
  close(): void;
}

/**
 * The hosts that share the instances directory: Nova's `<instances>/compute_nodes` under Nova's lock `nova-storage-registry-lock`
 * (`nova/virt/storage_users.py`), and what we remember of it, because Nova forgets all hosts when it finds the file broken.
 * Problem is data, never an exception. Twin: `memoryStorageRegistry`.
 */
export interface StorageRegistry {
  read(signal?: AbortSignal): Promise<RegistryReading>;
  /** Nova's `register_storage_use`, at `nowMs`. Resolves with why it could not, if so: a broken registry is not written. */
  register(host: string, nowMs: number, signal?: AbortSignal): Promise<string | undefined>;
  /** Removes a host that has gone for good. Resolves with why it could not, if so. */
  forget(host: string, signal?: AbortSignal): Promise<string | undefined>;
}

export interface BaseFileStat extends FileIdentity {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly modifiedAtMs: number;
  readonly regular: boolean;
  /** How many names it has, wherever they lie. */
  readonly links: number;
}

/** The entries of a directory that is held by descriptor: names are joined to it, so a swapped path cannot redirect a removal. */
export interface DirectoryEntries {
  /** Undefined when the entry is gone. No symlink is followed. */
  stat(name: string): BaseFileStat | undefined;
  /** Sets atime and mtime to `nowMs`. Throws an errno error. */
  touch(name: string, nowMs: number): void;
  /**
   * Runs `whileHeld` with QEMU's image-lock bytes of the file write-locked, after checking that the opened file has `identity`.
   * `busy`: a QEMU has it open. `changed`: another file stands there. Throws an errno error.
   */
  withImageLock(name: string, identity: FileIdentity, whileHeld: () => void): 'done' | 'busy' | 'changed' | 'gone';
  unlink(name: string): void;
  close(): void;
}

/** The base directory. Twin: `MemoryBaseDirectory`. */
export interface BaseDirectory extends DirectoryEntries {
  /**
   * The trash below it, which the caller closes; undefined when there is none and `create` is false. Throws an errno error: ELOOP or
   * ENOTDIR for a symlink or a file in its place, EXDEV where it is another file system.
   */
  openTrash(options: { readonly create: boolean }): TrashDirectory | undefined;
  /** Of the file system that the directory is on. */
  usage(): FilesystemUsage;
}

/** Where removed files lie, on the file system of their base directory. */
export interface TrashDirectory extends DirectoryEntries {
  list(): readonly string[];
  /** Moves the base file `name` here as `entry`, mtime and all. Throws EEXIST when the entry is taken. */
  take(name: string, entry: string): void;
  /** Makes `entry` the base file `name` as well, at once or not at all, and never in the place of another: then `exists`. It keeps its name here. */
  giveBack(entry: string, name: string): 'done' | 'exists';
}

/** Opens the base directory for execution; refuses a symlink. */
export interface BaseDirectoryOpener {
  open(basePath: string): BaseDirectory;
}

/** Why a file must stay: somebody uses it, or what is known is not enough to say that nobody does. */
export interface Objection {
  readonly kind: 'use' | 'gate';
  readonly message: string;
}

/**
 * Asked while the locks of all these files are held, just before they are removed: what speaks against each of them *now*? One reading of
 * the evidence answers for all. An empty list means nothing; a file without a list has no answer, and stays.
 *
 * `unused`: names of base files that the plan removes in this pass or leaves to a later one. They back no disk.
 */
export type UseCheck = (
  fileNames: readonly string[],
  signal: AbortSignal | undefined,
  unused?: ReadonlySet<string>,
) => Promise<ReadonlyMap<string, readonly Objection[]>>;

export interface FileOutcome {
  readonly name: string;
  readonly outcome: Outcome;
  readonly message?: string | undefined;
  /** Its name went, but not its blocks: it has another name. */
  readonly freedNothing?: true | undefined;
}

export interface Execution {
  /** One for each file whose verdict is `touch` or `remove`. */
  readonly outcomes: ReadonlyMap<string, FileOutcome>;
  /** By the name in the trash: one for each file there whose verdict is `restore` or `empty`. */
  readonly trash?: ReadonlyMap<string, FileOutcome> | undefined;
  readonly lockWaitSeconds: readonly number[];
  /** Absent where removals are not recorded. */
  readonly ledger?: LedgerState | undefined;
}

/** Carries out a plan and nothing else. Per-file failures are outcomes, not exceptions. */
export interface Executor {
  /** @param options `record`: each removal is recorded there before it happens. */
  execute(
    plan: Plan,
    inUse: UseCheck,
    options?: { readonly signal?: AbortSignal | undefined; readonly record?: RemovalRecord | undefined },
  ): Promise<Execution>;
}

/** Shows a report to people: annotations and events, metrics, log, last-report store. */
export interface Reporter {
  /** `runNowDone`: the answer to `basekeeper.io/run-now`, where this pass is one. Never throws. */
  publish(report: Report, context?: { readonly runNowDone?: string | undefined }): Promise<void>;
}

export interface Clock {
  now(): ClockReading;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The part of pino that we use. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
