/** Why a file has its verdict, in the order of the rules: the first that applies wins. */
export const VERDICT_REASONS = {
  ForeignFile: 'Nova gives no base file such a name; the file is not ours and is never touched.',
  ReferencedByWorkload: 'A workload names this image, kernel, ramdisk, swap or ephemeral disk; it is in use.',
  BackingFileOfOverlay: "An instance's disk is backed by this file.",
  BackingFileOfBaseFile: 'Another base file, or one in the trash, is backed by this file; it stays for as long as that one exists.',
  PinnedByConfig: 'The configuration pins this image or file name.',
  RemovalDisabled: 'removeUnusedBaseImages is false; nothing is removed.',
  YoungerThanMinimumAge: 'It is unused, but not for long enough yet.',
  GateClosed: 'It is unused and old enough, but the evidence is incomplete; see the gate reasons.',
  RemovalLimitReached: 'It is removable, but maxRemovalsPerPass older files go first; the next pass takes it.',
  UnderPressure: 'Nothing uses it; it is younger than its minimum age, but the file system is too full, so it may go before its time.',
  OverBudget: 'Nothing uses it; it is younger than its minimum age, but the cache is over its budget, so it may go before its time.',
  Unused: 'Nothing uses it and it is old enough.',
} as const;
export type VerdictReason = keyof typeof VERDICT_REASONS;

/** Used, backing, pinned, young, held, unused or foreign: the state label of the metrics. */
export type FileState = 'used' | 'backing' | 'pinned' | 'young' | 'held' | 'unused' | 'foreign';
export const FILE_STATES: readonly FileState[] = ['used', 'backing', 'pinned', 'young', 'held', 'unused', 'foreign'];

/** What follows from a verdict's reason, wherever it is counted or shown. */
export interface ReasonFacts {
  /** What the metrics call the file. */
  readonly state: FileState;
  /** Whether a pass with an open gate, and without a limit, would remove it. */
  readonly reclaimable: boolean;
  /** Whether nothing uses it. */
  readonly unused: boolean;
}

/** One row a reason: a new reason needs its row here and its next step in `src/report/explain/explain.ts`, and nothing else forgets it. */
export const REASON_FACTS: Readonly<Record<VerdictReason, ReasonFacts>> = {
  ForeignFile: { state: 'foreign', reclaimable: false, unused: false },
  ReferencedByWorkload: { state: 'used', reclaimable: false, unused: false },
  BackingFileOfOverlay: { state: 'backing', reclaimable: false, unused: false },
  BackingFileOfBaseFile: { state: 'backing', reclaimable: false, unused: false },
  PinnedByConfig: { state: 'pinned', reclaimable: false, unused: false },
  RemovalDisabled: { state: 'held', reclaimable: false, unused: true },
  YoungerThanMinimumAge: { state: 'young', reclaimable: false, unused: true },
  GateClosed: { state: 'held', reclaimable: true, unused: true },
  RemovalLimitReached: { state: 'held', reclaimable: true, unused: true },
  UnderPressure: { state: 'unused', reclaimable: true, unused: true },
  OverBudget: { state: 'unused', reclaimable: true, unused: true },
  Unused: { state: 'unused', reclaimable: true, unused: true },
};

/** Why a file in the trash has its verdict, in the order of the rules. */
export const TRASH_REASONS = {
  UnfinishedMove: 'The same file is in the base directory again; only its name in the trash is left to remove.',
  NamedInTrash: "An instance's disk is backed by the file where it lies in the trash.",
  NeededAgain: 'A workload, an overlay or a pin names the file again, and the base directory has none of its name; it is put back.',
  RemovalDisabled: 'removeUnusedBaseImages is false; nothing is removed.',
  WithinGrace: 'It was removed less than trash.graceSeconds ago.',
  GateClosed: 'Its grace is over, but the evidence is incomplete; see the gate reasons.',
  RemovalLimitReached: 'Its grace is over, but maxRemovalsPerPass older files go first; the next pass takes it.',
  UnderPressure: 'Nothing needs it, and the file system is too full to keep it until its grace is over.',
  OverBudget: 'Nothing needs it, and the cache, in which the trash counts, is over its budget.',
  GraceOver: 'Its grace is over and nothing needs it.',
} as const;
export type TrashReason = keyof typeof TRASH_REASONS;

/** Why a file goes before its time, for as long as space is short: from the base directory, or from the trash. */
export const SPACE_REASONS = ['UnderPressure', 'OverBudget'] as const satisfies (VerdictReason & TrashReason)[];
export type SpaceReason = (typeof SPACE_REASONS)[number];

export function isForSpace(reason: string): reason is SpaceReason {
  return SPACE_REASONS.some((it) => it === reason);
}

/** Why removals are not allowed in this pass. */
export const GATE_REASONS = {
  SourceNotSynced: 'A source of workloads has not been listed completely.',
  SourceStale: 'A source has shown neither an event nor a bookmark within its limit.',
  ConsistentListMissing: 'No consistent list of workloads was taken after the scan.',
  WorkloadIncomplete: 'Something on this node may be a VM and could not be understood.',
  Unseen: 'A disk, or another file that may be backed by a base file, was not seen or not understood; each entry says what to do.',
  ScanIncomplete: 'The base directory could not be listed completely.',
  DirectoryOpenToAll: 'Every user of the node may write to the base directory or to the lock directory.',
  ClockNotSane: "The clock jumped, is not the API server's, or a file that is in use is dated in the future.",
  DirectoryMismatch: 'What is mounted as the base or the lock directory is another directory than the instances path has under that name.',
  SharedUndeclared: 'Other hosts seem to use the instances directory, but sharedStorage is off.',
  HostWorkloadsUnknown: 'The workloads of a host that shares the instances directory are unknown.',
  HostStale: 'A host that shared the instances directory has not registered for longer than sharedStorage.hostTimeoutSeconds.',
  StorageRegistryBroken:
    'Which hosts share the instances directory is unknown: the registry compute_nodes is broken, or this host is not in it.',
  HostsUnsettled: 'The registry of hosts is new: some that share the instances directory may not have registered yet.',
  EmptyInventory: 'No source knows a single workload; allowEmptyInventory says whether that is plausible.',
} as const;
export type GateReason = keyof typeof GATE_REASONS;

/** What became of a file when the plan was executed. */
export const OUTCOMES = {
  kept: 'Nothing was done.',
  touched: 'In use: its mtime was set to now, so that its age counts from the last use.',
  removed: 'The file was unlinked.',
  trashed: 'The file was moved to the trash; basekeeper restore puts it back until its grace is over.',
  restored: 'The file was put back from the trash.',
  emptied: 'The file was removed from the trash for good.',
  InUseByQemu: 'QEMU holds its image locks on the file.',
  ChangedSincePlan: 'The file or its users changed between plan and removal; the next pass decides again.',
  LockBusy: "The file's Nova lock was held by somebody for longer than lockTimeoutSeconds.",
  AlreadyGone: 'The file was removed by somebody else.',
  RemovalFailed: 'The file could not be removed, or its removal could not be checked or recorded before; the message says why.',
  RestoreFailed: 'The file could not be put back from the trash; the message has the errno.',
  TouchFailed: 'Setting the mtime failed; it is in use anyway.',
  Abandoned: 'The pass was stopped or ran past its deadline before it came to this file.',
} as const;
export type Outcome = keyof typeof OUTCOMES;

/** What people should look at, one meaning each. */
export const FINDINGS = {
  BackingFileMissing: "An instance's disk names a backing file that does not exist.",
  GuestBytes:
    'The bytes of a disk look like an image whose backing file is missing or not understood, but nobody says that it is one: its guest may have written them.',
  BackingFileUnknown:
    "An instance's disk is backed by a base file that no workload's image explains (unshelved, migrated, or a workload that no source knows).",
  BackingFileOutside: "An instance's disk has a backing file outside the instances path, or one that is not a local file.",
  OverlayUnreadable: "An instance's disk cannot be read or parsed.",
  Unseen: 'A file or directory that may lead to a base file was not seen or not understood.',
  BaseFileMissing: 'A workload uses this swap or ephemeral base file, but it does not exist.',
  BaseFileMismatch:
    'A base file does not match its name or its recorded checksum: its header is invalid, or its virtual size or content has changed.',
  FilesystemPressure: 'The file system is fuller than the high threshold, and what may be removed does not bring it below the low one.',
  BudgetExceeded: 'The cache holds more than its budget, and what may be removed does not bring it below.',
  FileFromFuture: 'An unused base file is dated in the future, so it never gets old. touch gives it a sane time.',
  UnmappedWorkload: 'A pod mounts the instances path, but no rule says which images it uses.',
  IncompleteWorkload: 'A workload was found, but a part of its description could not be understood.',
  UnreadableSource: 'A source could not say what runs.',
  AmbiguousReference:
    'An image reference has blanks or line ends in it, or a glob cannot be understood. Every reading is kept, so nothing is held.',
  SourceLimited:
    'A source works, but the agent may not read all that it could use. Nothing is held for it; the message says what to allow.',
  ScanProblem: 'An entry of the base directory could not be read.',
  LedgerUnwritable:
    'The ledger of removals could not be written. Files stay whose removal cannot be recorded before it happens, but for those that make room on a full file system.',
} as const;
export type FindingType = keyof typeof FINDINGS;

/** The result of a pass as annotations, metrics and exit codes give it. */
export const PASS_RESULTS = ['Succeeded', 'DryRun', 'Held', 'Failed', 'Skipped'] as const;
export type PassResult = (typeof PASS_RESULTS)[number];
