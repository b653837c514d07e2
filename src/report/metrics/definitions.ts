/** Every metric that the agent exposes, besides those of the process: the one list behind the registry and docs/metrics.md. */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** A sentence. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram; an empty list leaves sum and count. */
  readonly buckets?: readonly number[];
}

export const METRICS = {
  basekeeper_build_info: {
    type: 'gauge',
    help: 'Always 1; the label has the version of the agent.',
    labels: ['version'],
  },
  basekeeper_mode: {
    type: 'gauge',
    help: 'Always 1; the label has the mode that is in force on this node, annotation included.',
    labels: ['mode'],
  },
  basekeeper_base_files: {
    type: 'gauge',
    help: 'Files in the base directory after the last pass, by kind and state; pairs that do not occur are absent.',
    labels: ['kind', 'state'],
  },
  basekeeper_base_bytes: {
    type: 'gauge',
    help: 'Allocated bytes of the files in the base directory after the last pass, by kind and state.',
    labels: ['kind', 'state'],
  },
  basekeeper_filesystem_size_bytes: {
    type: 'gauge',
    help: 'Size of the file system that holds the base directory.',
    labels: [],
  },
  basekeeper_filesystem_avail_bytes: {
    type: 'gauge',
    help: 'Bytes that unprivileged writers can still use on the file system that holds the base directory.',
    labels: [],
  },
  basekeeper_reclaimable_bytes: {
    type: 'gauge',
    help: 'Allocated bytes of files that nothing uses, that are old enough, and that are still there: removable, or held.',
    labels: [],
  },
  basekeeper_reclaim_target_bytes: {
    type: 'gauge',
    help: 'Bytes that the last pass had to free for the file system to come below its low threshold; 0 without pressure.',
    labels: [],
  },
  basekeeper_cache_bytes: {
    type: 'gauge',
    help: 'Allocated bytes of everything below the base directory after the last pass, trash and unknown files included. Without a budget: of its files and the trash.',
    labels: [],
  },
  basekeeper_budget_bytes: {
    type: 'gauge',
    help: 'What the cache may hold, where a budget is set as a share of the file system in bytes as well; absent without a budget.',
    labels: [],
  },
  basekeeper_budget_exceeded: {
    type: 'gauge',
    help: '1 where the cache holds more than its budget after the last pass, else 0; absent without a budget.',
    labels: [],
  },
  basekeeper_reserve_bytes: {
    type: 'gauge',
    help: "What a scheduler should reserve for the cache: the larger of its budget and what it holds, as Nova's reserved_host_disk_mb. Without a budget: what it holds now.",
    labels: [],
  },
  basekeeper_oldest_unused_seconds: {
    type: 'gauge',
    help: 'Age of the oldest file that nothing uses, at the last pass; 0 when there is none.',
    labels: [],
  },
  basekeeper_passes_total: {
    type: 'counter',
    help: 'Passes since the agent started, by result.',
    labels: ['result'],
  },
  basekeeper_noop_passes_total: {
    type: 'counter',
    help: 'Passes since the agent started that came to a decision and removed nothing, by cause.',
    labels: ['cause'],
  },
  basekeeper_pass_duration_seconds: {
    type: 'histogram',
    help: 'How long a pass took.',
    labels: [],
    buckets: [1, 10, 60],
  },
  basekeeper_stage_duration_seconds: {
    type: 'histogram',
    help: 'How long a stage of a pass took; sum and count only.',
    labels: ['stage'],
    buckets: [],
  },
  basekeeper_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last pass ended that came to a decision (Succeeded, DryRun or Held); 0 before the first.',
    labels: [],
  },
  basekeeper_removed_files_total: {
    type: 'counter',
    help: 'Base files that the agent removed for good since it started, by kind: unlinked, or emptied from the trash.',
    labels: ['kind'],
  },
  basekeeper_removed_bytes_total: {
    type: 'counter',
    help: 'Allocated bytes of the base files that the agent removed for good since it started, by kind; none of a file that has another name.',
    labels: ['kind'],
  },
  basekeeper_ledger_bytes: {
    type: 'gauge',
    help: 'Size of the record of removals, the reserve included; absent until a pass may remove files, and where ledger.enabled is false.',
    labels: [],
  },
  basekeeper_ledger_records: {
    type: 'gauge',
    help: 'Number of the last record of removals. It never falls, unless the record was begun again.',
    labels: [],
  },
  basekeeper_ledger_last_record_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last pass ended that wrote to the record of removals; absent until one of this process did.',
    labels: [],
  },
  basekeeper_ledger_failed_passes_total: {
    type: 'counter',
    help: 'Passes that could not record removals before they happen, so that files stayed; absent where ledger.enabled is false.',
    labels: [],
  },
  basekeeper_ledger_unrecorded_files_total: {
    type: 'counter',
    help: 'Files that made room on a full file system, and that only the log of the agent has; absent where ledger.enabled is false.',
    labels: [],
  },
  basekeeper_trash_files: {
    type: 'gauge',
    help: 'Removed files that lie in the trash after the last pass.',
    labels: [],
  },
  basekeeper_trash_bytes: {
    type: 'gauge',
    help: 'Allocated bytes of the files in the trash after the last pass: not freed yet.',
    labels: [],
  },
  basekeeper_trash_moved_files_total: {
    type: 'counter',
    help: 'Files that the agent moved to the trash (trashed), put back (restored) or removed from it for good (emptied) since it started.',
    labels: ['action'],
  },
  basekeeper_checksum_files_total: {
    type: 'counter',
    help: 'Base files whose checksums the agent recorded or compared since it started; absent where it keeps none.',
    labels: [],
  },
  basekeeper_checksum_read_bytes_total: {
    type: 'counter',
    help: 'Bytes of base files that the agent read for their checksums since it started; absent where it keeps none.',
    labels: [],
  },
  basekeeper_kept_files: {
    type: 'gauge',
    help: 'Base files that the last pass decided to keep or touch, by the reason of the verdict.',
    labels: ['reason'],
  },
  basekeeper_removal_failures_total: {
    type: 'counter',
    help: 'Files that a pass wanted to remove or touch and did not, by outcome.',
    labels: ['reason'],
  },
  basekeeper_gate_closed: {
    type: 'gauge',
    help: '1 for each reason that held back removals in the last pass, else 0.',
    labels: ['reason'],
  },
  basekeeper_source_synced: {
    type: 'gauge',
    help: '1 when the source of workloads has been listed completely, else 0; a source whose API is absent counts as synced.',
    labels: ['source'],
  },
  basekeeper_source_last_contact_timestamp_seconds: {
    type: 'gauge',
    help: 'When the source of workloads last showed an event, a bookmark or a list.',
    labels: ['source'],
  },
  basekeeper_workloads: {
    type: 'gauge',
    help: 'Workloads that the source described in the last pass.',
    labels: ['source'],
  },
  basekeeper_gaps: {
    type: 'gauge',
    help: 'Gaps: what the sources could not find out in the last pass, by kind.',
    labels: ['kind'],
  },
  basekeeper_findings: {
    type: 'gauge',
    help: 'Findings of the last pass that a person should look at, by type.',
    labels: ['type'],
  },
  basekeeper_overlays: {
    type: 'gauge',
    help: 'Disks of instances seen in the last pass, by what became of reading their backing chains.',
    labels: ['state'],
  },
  basekeeper_wanted_images: {
    type: 'gauge',
    help: 'Images that somebody wants on this node, by whether the base directory has them; absent where nobody wants any.',
    labels: ['state'],
  },
  basekeeper_storage_hosts: {
    type: 'gauge',
    help: 'Other hosts that share the instances directory, by what is known of them; absent where the directory is not shared.',
    labels: ['state'],
  },
  basekeeper_storage_registered_timestamp_seconds: {
    type: 'gauge',
    help: 'When this host last registered as one that shares the instances directory; absent where it is not shared.',
    labels: [],
  },
  basekeeper_lock_wait_seconds: {
    type: 'histogram',
    help: 'How long removals waited for the file lock that Nova takes as well.',
    labels: [],
    buckets: [1],
  },
  basekeeper_api_requests_total: {
    type: 'counter',
    help: 'Requests to the Kubernetes API, by verb and status code; "error" where no answer came, "other" for what is rare.',
    labels: ['verb', 'code'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
