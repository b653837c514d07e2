import type { BaseFileKind } from './scan.ts';
import type { FilesystemUsage } from './filesystem.ts';
import type { Unseen } from './overlay.ts';
import type { Preset } from './policy.ts';
import type { FileState, FindingType, GateReason, Outcome, TrashReason, VerdictReason } from './reasons.ts';
import type { Usage } from './references.ts';
import type { Rows } from './rows.ts';
import type { StorageHost } from './shared-storage.ts';
import type { Verification } from './verification.ts';
import type { ObjectReference, SourceStatus } from './workload.ts';

export type Verdict = 'keep' | 'touch' | 'remove';

/** What a pass decides for one base file. */
export interface PlannedFile {
  readonly name: string;
  readonly kind: BaseFileKind;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  /** RFC 3339. */
  readonly modifiedAt: string;
  /** Whole seconds since the mtime; negative when it lies in the future. */
  readonly ageSeconds: number;
  /** Undefined for foreign files. */
  readonly minimumAgeSeconds?: number | undefined;
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
  readonly usedBy: readonly Usage[];
  /** What the executor compares again before it acts; strings, because JSON has no 64-bit integers. */
  readonly identity: FileIdentity;
  /** What became of it; absent in a plan. */
  readonly outcome?: Outcome | undefined;
  /** Details of an outcome, such as the errno. */
  readonly outcomeMessage?: string | undefined;
  /** Its name went, but not its blocks: it has another name. */
  readonly freedNothing?: true | undefined;
}

export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
  readonly modifiedAtNs: string;
}

export interface GateClosure {
  readonly reason: GateReason;
  /** Which source, workload, overlay or file, and what to do. */
  readonly message: string;
}

export interface Gate {
  readonly open: boolean;
  readonly reasons: readonly GateClosure[];
}

export interface Finding {
  readonly type: FindingType;
  readonly file?: string | undefined;
  readonly workload?: string | undefined;
  readonly object?: ObjectReference | undefined;
  readonly message: string;
}

export interface Totals {
  readonly files: number;
  readonly allocatedBytes: number;
  readonly reclaimableFiles: number;
  readonly reclaimableBytes: number;
  readonly removedFiles: number;
  /** What was freed: nothing of a file that has another name. */
  readonly removedBytes: number;
}

/** One row per kind and state that occurs. */
export interface StateTotal {
  readonly kind: BaseFileKind;
  readonly state: FileState;
  readonly files: number;
  readonly allocatedBytes: number;
}

/** What pressure mode expects of the plan; percentages with one decimal. */
export interface PressurePlan {
  readonly highThresholdPercent: number;
  readonly lowThresholdPercent: number;
  readonly usedPercent: number;
  /** To come below the low threshold. */
  readonly bytesToFree: number;
  /** Allocated bytes of all planned removals: less is freed where blocks are shared (reflinks) or a file is held open. */
  readonly plannedBytes: number;
  readonly projectedUsedPercent: number;
}

/** The budget of the cache, and what the plan makes of it. Bytes are allocated blocks of everything below the base directory. */
export interface BudgetPlan {
  readonly maxBytes: number;
  /** How far removals bring it down where it holds more than `maxBytes`. */
  readonly lowBytes: number;
  readonly heldBytes: number;
  /** What could not be counted: more is held than `heldBytes`. Absent where there is nothing. */
  readonly unseenEntries?: number | undefined;
  /** To come down to `lowBytes`; 0 up to `maxBytes`. */
  readonly bytesToFree: number;
  /** Of everything that is planned to go for good, whatever asks for it. */
  readonly plannedBytes: number;
  readonly projectedBytes: number;
  /** Files that may go for the budget, and wait for the next passes because one pass removes no more. Absent where there are none. */
  readonly waitingFiles?: number | undefined;
}

/** Plain JSON: what a dry run prints and a real run executes. Nothing else decides. */
export interface Plan {
  readonly apiVersion: 'basekeeper.io/v1';
  readonly kind: 'Plan';
  readonly node: string;
  /** RFC 3339. */
  readonly takenAt: string;
  readonly preset: Preset;
  readonly basePath: string;
  readonly gate: Gate;
  readonly files: Rows<PlannedFile>;
  readonly findings: readonly Finding[];
  readonly totals: Totals;
  readonly states: readonly StateTotal[];
  readonly overlays: Readonly<Record<string, number>>;
  /** What may lead to a base file and was not seen or not understood: it closes the gate. Absent where there is nothing. */
  readonly unseen?: readonly Unseen[] | undefined;
  /** What the configuration's `ignore` takes out of `unseen`. */
  readonly ignored?: readonly Unseen[] | undefined;
  readonly sources: readonly SourceReport[];
  /** Age of the oldest file that nothing uses; absent when there is none. */
  readonly oldestUnusedSeconds?: number | undefined;
  readonly filesystem?: FilesystemUsage | undefined;
  /** Only while the file system is under pressure and pressure mode is on. */
  readonly pressure?: PressurePlan | undefined;
  /** Only where the cache has a budget. */
  readonly budget?: BudgetPlan | undefined;
  /** Only where more could go than one pass removes, and the configuration has set no limit of its own. */
  readonly limited?: RemovalsLimited | undefined;
  /** Images that should be on this node, in the order of their ids; absent where nobody wants any. */
  readonly wanted?: readonly WantedImage[] | undefined;
  /** Only where the instances directory is shared. */
  readonly sharedStorage?: SharedStorageReport | undefined;
  /** Where removals go to the trash, or files still lie there. */
  readonly trash?: TrashPlan | undefined;
  /** Only where verification is on; what it found is among the findings. */
  readonly verification?: Omit<Verification, 'mismatches'> | undefined;
  /** Nova's `get_disk_usage`. */
  readonly cacheUsageBytes: number;
}

/** An image that somebody wants on this node. */
export interface WantedImage {
  readonly imageRef: string;
  /** Who wants it: `configuration`, a ConfigMap, the node's annotation. */
  readonly by: readonly string[];
  /** Whether the base directory has its original. */
  readonly present: boolean;
}

/** A pass that stops early, so that a mistake in the evidence costs no more than a share of the cache. */
export interface RemovalsLimited {
  /** What the pass removes of the base files. */
  readonly removals: number;
  /** Unused base files that later passes remove. */
  readonly waitingFiles: number;
}

export interface SourceReport extends Omit<SourceStatus, 'lastContactMs' | 'consistentListAtMs' | 'freshLimitMs' | 'resourceVersion'> {
  readonly workloads: number;
  readonly gaps: number;
  /** RFC 3339. */
  readonly lastContact?: string | undefined;
}

/** Who shares the instances directory, this host included. */
export interface SharedStorageReport {
  readonly hosts: readonly StorageHostReport[];
  /** What is wrong with the registry of hosts. */
  readonly problem?: string | undefined;
  /** That the registry is so new that not every host may be in it yet. */
  readonly unsettled?: string | undefined;
}

export interface StorageHostReport extends Omit<StorageHost, 'registeredAtMs'> {
  /** RFC 3339. */
  readonly registeredAt?: string | undefined;
}

export type TrashVerdict = 'keep' | 'restore' | 'empty';

/** What a pass decides for one file in the trash. */
export interface PlannedTrashedFile {
  readonly entry: string;
  /** Of the base file that it was. */
  readonly name: string;
  readonly kind: BaseFileKind;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  /** RFC 3339. */
  readonly trashedAt: string;
  /** When its grace ends, RFC 3339. */
  readonly graceEndsAt: string;
  readonly verdict: TrashVerdict;
  readonly reason: TrashReason;
  readonly identity: FileIdentity;
  /** What became of it; absent in a plan. */
  readonly outcome?: Outcome | undefined;
  readonly outcomeMessage?: string | undefined;
  /** Its name went, but not its blocks: it has another name. */
  readonly freedNothing?: true | undefined;
}

/** The trash in a plan or report; absent where it is off and empty. */
export interface TrashPlan {
  /** Whether removals go to the trash. */
  readonly enabled: boolean;
  readonly graceSeconds: number;
  readonly files: Rows<PlannedTrashedFile>;
  readonly totals: TrashTotals;
}

/** Counts at the time of the scan, and of what the pass did (0 in a plan). Bytes are allocated blocks. */
export interface TrashTotals {
  readonly files: number;
  readonly allocatedBytes: number;
  /** Whose grace is over and that nothing needs: emptied, or held. */
  readonly dueFiles: number;
  readonly dueBytes: number;
  /** Base files that this pass moved to the trash: freed only when they are emptied. */
  readonly trashedFiles: number;
  readonly trashedBytes: number;
  readonly restoredFiles: number;
  readonly restoredBytes: number;
  readonly emptiedFiles: number;
  /** What was freed. */
  readonly emptiedBytes: number;
  /** Of emptied files, what was not freed: they have another name. Absent where there is nothing. */
  readonly linkedBytes?: number | undefined;
}
