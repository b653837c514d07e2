/** What an event says by its reason. Reasons and actions are API: alerts and scripts match them. */
export interface EventReasonFacts {
  readonly type: 'Normal' | 'Warning';
  /** What the agent did or tried, by events.k8s.io's `action`. */
  readonly action: string;
  /** The objects that it regards. */
  readonly regarding: string;
  readonly meaning: string;
  /** What a person does about it; empty: nothing. */
  readonly advice: string;
}

export const EVENT_REASONS = {
  BaseFilesRemoved: {
    type: 'Normal',
    action: 'RemoveBaseFiles',
    regarding: 'Node',
    meaning: 'A pass removed base files that nothing used, moved them to the trash, or emptied it; one event for all of them.',
    advice: '',
  },
  RemovalsLimited: {
    type: 'Normal',
    action: 'RemoveBaseFiles',
    regarding: 'Node',
    meaning:
      'More base files are unused than a pass removes where maxRemovalsPerPass is not set. So a mistake in the evidence costs a share of the cache only. The next passes go on.',
    advice:
      'Expected at first. Set maxRemovalsPerPass to remove more at once (0: no limit), or stop: kubectl basekeeper mode NODE dry-run.',
  },
  BaseFilesRestored: {
    type: 'Normal',
    action: 'RestoreBaseFiles',
    regarding: 'Node',
    meaning: 'A pass put files back from the trash, because a workload, an overlay or a pin names them again.',
    advice: '',
  },
  BaseFileRemovalFailed: {
    type: 'Warning',
    action: 'RemoveBaseFiles',
    regarding: 'Node',
    meaning: 'Unused base files could not be removed, or their removal could not be checked or recorded before.',
    advice:
      'The message has the reason. Check that the base directory is mounted read-write and that the agent may write there; the next pass tries again.',
  },
  BackingFileMissing: {
    type: 'Warning',
    action: 'ReadBackingChain',
    regarding: "Node, and the VM's own object",
    meaning: "An instance's disk names a backing file that does not exist; the VM cannot start again.",
    advice: 'Restore the base file from its image or from another node, or rebuild the VM.',
  },
  BackingFileUnknown: {
    type: 'Normal',
    action: 'ReadBackingChain',
    regarding: "Node, and the VM's own object",
    meaning: "An instance's disk is backed by a base file that no workload's image explains; the file is kept.",
    advice:
      'Expected for unshelved and migrated VMs. A pod can name its image by basekeeper.io/image-ref. A libvirt domain needs nothing: its disk keeps the file.',
  },
  RemovalHeld: {
    type: 'Warning',
    action: 'PlanRemovals',
    regarding: 'Node',
    meaning: 'Files could be removed, but the evidence that nothing uses them is incomplete: the gate is closed.',
    advice: 'What fixes it: kubectl basekeeper doctor.',
  },
  PassFailed: {
    type: 'Warning',
    action: 'RunPass',
    regarding: 'Node',
    meaning: 'A pass ended early or with failures.',
    advice: "Read the agent's log on this node; the next pass tries again.",
  },
  UnknownMode: {
    type: 'Warning',
    action: 'ReadMode',
    regarding: 'Node',
    meaning: 'The annotation basekeeper.io/mode of the node is not a mode; nothing is removed meanwhile.',
    advice: 'Set it to off, dry-run or enforce, or remove it: kubectl basekeeper mode NODE configured.',
  },
  FilesystemPressure: {
    type: 'Warning',
    action: 'PlanRemovals',
    regarding: 'Node',
    meaning:
      'The file system is fuller than pressure.highThresholdPercent, and removing what may be removed does not bring it below pressure.lowThresholdPercent.',
    advice: 'Look at what holds the space: move VMs away, lower the minimum ages, or enlarge the file system.',
  },
  BudgetExceeded: {
    type: 'Warning',
    action: 'PlanRemovals',
    regarding: 'Node',
    meaning: 'The cache holds more than its budget, and removing what may be removed does not bring it below.',
    advice: 'Look at what holds the space: move VMs away, unpin images, or raise the budget and what the scheduler reserves for it.',
  },
  BaseFileMismatch: {
    type: 'Warning',
    action: 'VerifyBaseFiles',
    regarding: 'Node',
    meaning:
      'A base file does not match its name or its recorded checksum: its header is invalid, or its virtual size or content has changed. The file is kept.',
    advice:
      'Compare it with its image. Where no disk uses it yet, move it away and let Nova fetch it again; disks that use it may be damaged.',
  },
  LedgerUnwritable: {
    type: 'Warning',
    action: 'RecordRemovals',
    regarding: 'Node',
    meaning:
      'The ledger of removals could not be written. A removal is recorded there before it happens: a file stays whose record cannot be written, unless its removal makes room on a full file system.',
    advice: 'The message has the path and the reason: correct it, or set ledger.enabled: false; the next pass tries again.',
  },
  UnmappedWorkload: {
    type: 'Warning',
    action: 'ListWorkloads',
    regarding: 'Node, and the pod',
    meaning: 'A pod mounts the instances path, but nothing says which images it uses; nothing is removed while it runs.',
    advice:
      'A VM: annotate it with basekeeper.io/image-ref. Not a VM: exempt it by config.exemptPods; kubectl basekeeper doctor prints the value.',
  },
} as const satisfies Record<string, EventReasonFacts>;

export type EventReason = keyof typeof EVENT_REASONS;
