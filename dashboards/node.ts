/** Basekeeper / Node: what one agent sees, does, and takes. */
import { CHOSEN, dashboard, GATES, HELD_FILES, HOLDING_BY_REASON, lines, row, stat, table } from './parts.ts';
import { FLEET, NODE } from './names.ts';

const WITHIN = '1h';

export const node = dashboard({
  ...NODE,
  description:
    'One node: its base files by kind and state, passes and their stages, removals and failures, sources, and requests to the API.',
  other: FLEET,
  severalNodes: false,
})
  .withRow(row('Now'))
  .withPanel(
    stat({
      title: 'Mode',
      description: 'The mode that is in force, the annotation of the node included.',
      unit: 'short',
      width: 4,
      showsName: true,
      queries: [{ expr: `max by (mode) (basekeeper_mode{${CHOSEN}}) == 1`, legend: '{{mode}}' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Last decision',
      description: 'Time since a pass came to a decision (Succeeded, DryRun or Held).',
      unit: 's',
      width: 4,
      redFrom: 7200,
      whenEmpty: 'none yet',
      queries: [{ expr: `time() - max(basekeeper_last_success_timestamp_seconds{${CHOSEN}} > 0)`, legend: 'ago' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Files held',
      description: 'Files that could be removed, but the gate is closed because evidence is incomplete.',
      unit: 'short',
      width: 4,
      redFrom: 1,
      queries: [{ expr: HELD_FILES, legend: 'held' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Reclaimable',
      description: 'Bytes of files that nothing uses, that are old enough, and that are still there: removable, or held.',
      unit: 'bytes',
      width: 4,
      queries: [{ expr: `max(basekeeper_reclaimable_bytes{${CHOSEN}})`, legend: 'reclaimable' }],
    }),
  )
  .withPanel(
    stat({
      title: 'File system used',
      description: 'Share of the file system that holds the base directory which writers can no longer use.',
      unit: 'percentunit',
      width: 4,
      redFrom: 0.9,
      queries: [
        {
          expr: `1 - max(basekeeper_filesystem_avail_bytes{${CHOSEN}}) / max(basekeeper_filesystem_size_bytes{${CHOSEN}})`,
          legend: 'used',
        },
      ],
    }),
  )
  .withPanel(
    stat({
      title: 'Findings',
      description: 'What a person should look at; the status page of the agent names each.',
      unit: 'short',
      width: 4,
      redFrom: 1,
      queries: [{ expr: `sum(max by (type) (basekeeper_findings{${CHOSEN}}))`, legend: 'findings' }],
    }),
  )
  .withRow(row('Base files'))
  .withPanel(
    lines({
      title: 'Bytes by state',
      description: 'Allocated bytes of the base files by why they are there.',
      unit: 'bytes',
      width: 8,
      stacked: true,
      queries: [{ expr: `sum by (state) (basekeeper_base_bytes{${CHOSEN}})`, legend: '{{state}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Bytes by kind',
      description: 'Allocated bytes of the base files by what their names say that they are.',
      unit: 'bytes',
      width: 8,
      stacked: true,
      queries: [{ expr: `sum by (kind) (basekeeper_base_bytes{${CHOSEN}})`, legend: '{{kind}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Files kept, by reason',
      description: 'Base files that the last pass kept or touched, by the rule that decided.',
      unit: 'short',
      width: 8,
      stacked: true,
      queries: [{ expr: `max by (reason) (basekeeper_kept_files{${CHOSEN}})`, legend: '{{reason}}' }],
    }),
  )
  .withRow(row('Budget and wanted images'))
  .withPanel(
    lines({
      title: 'Cache and budget',
      description: 'What the cache holds, what it may hold where it has a budget, and what a scheduler should reserve for it.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: `max(basekeeper_cache_bytes{${CHOSEN}})`, legend: 'held' },
        { expr: `max(basekeeper_budget_bytes{${CHOSEN}})`, legend: 'budget' },
        { expr: `max(basekeeper_reserve_bytes{${CHOSEN}})`, legend: 'to reserve' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Wanted images',
      description: 'Images that somebody wants on this node, by whether the base directory has them.',
      unit: 'short',
      width: 12,
      stacked: true,
      whenEmpty: 'Nobody wants an image here.',
      queries: [{ expr: `max by (state) (basekeeper_wanted_images{${CHOSEN}})`, legend: '{{state}}' }],
    }),
  )
  .withRow(row('Passes and removals'))
  .withPanel(
    lines({
      title: 'Passes by result',
      description: 'Passes within an hour, by result.',
      unit: 'short',
      width: 8,
      stacked: true,
      queries: [{ expr: `sum by (result) (increase(basekeeper_passes_total{${CHOSEN}}[${WITHIN}]))`, legend: '{{result}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Time of a pass',
      description: 'How long a pass took on average within an hour, by stage; gaps where no pass ran.',
      unit: 's',
      width: 8,
      stacked: true,
      queries: [
        {
          expr: `sum by (stage) (increase(basekeeper_stage_duration_seconds_sum{${CHOSEN}}[${WITHIN}])) / sum by (stage) (increase(basekeeper_stage_duration_seconds_count{${CHOSEN}}[${WITHIN}]))`,
          legend: '{{stage}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'File system',
      description: 'Bytes that writers can still use, and all bytes that the base files take.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: `max(basekeeper_filesystem_avail_bytes{${CHOSEN}})`, legend: 'available' },
        { expr: `sum(basekeeper_base_bytes{${CHOSEN}})`, legend: 'base files' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Removed bytes',
      description: 'Allocated bytes of the base files that were removed within an hour, by kind.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: `sum by (kind) (increase(basekeeper_removed_bytes_total{${CHOSEN}}[${WITHIN}]))`, legend: '{{kind}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Failures',
      description: 'Files that a pass wanted to remove or touch within an hour and did not, by outcome. 0 is normal.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `sum by (reason) (increase(basekeeper_removal_failures_total{${CHOSEN}}[${WITHIN}]))`, legend: '{{reason}}' }],
    }),
  )
  .withRow(row('Ledger of removals'))
  .withPanel(
    stat({
      title: 'Last record',
      description: 'Time since the end of the last pass that wrote to the ledger. The agent does not know it of passes before its start.',
      unit: 's',
      width: 4,
      whenEmpty: 'none since the agent started',
      queries: [{ expr: `time() - max(basekeeper_ledger_last_record_timestamp_seconds{${CHOSEN}})`, legend: 'ago' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Not recorded',
      description: 'Files that went within a day to make room on a full file system, and that only the log of the agent has. 0 is normal.',
      unit: 'short',
      width: 4,
      redFrom: 1,
      whenEmpty: 'This agent keeps no ledger.',
      queries: [{ expr: `sum(increase(basekeeper_ledger_unrecorded_files_total{${CHOSEN}}[1d]))`, legend: 'files' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Records and failures',
      description: 'Records that were written within an hour, and passes that could not write theirs, so that files stayed.',
      unit: 'short',
      width: 8,
      whenEmpty: 'This agent keeps no ledger.',
      queries: [
        { expr: `max(delta(basekeeper_ledger_records{${CHOSEN}}[${WITHIN}]))`, legend: 'records' },
        { expr: `sum(increase(basekeeper_ledger_failed_passes_total{${CHOSEN}}[${WITHIN}]))`, legend: 'failed passes' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Size of the ledger',
      description: 'Bytes of all its files, with the reserve for a full file system; ledger.maxBytes bounds them.',
      unit: 'bytes',
      width: 8,
      whenEmpty: 'This agent keeps no ledger.',
      queries: [{ expr: `max(basekeeper_ledger_bytes{${CHOSEN}})`, legend: 'ledger' }],
    }),
  )
  .withRow(row('Evidence'))
  .withPanel(
    lines({
      title: 'Disks of instances',
      description: 'Disks seen in the last pass, by what became of reading their backing chains. All but ok and flat deserve a look.',
      unit: 'short',
      width: 8,
      stacked: true,
      queries: [{ expr: `max by (state) (basekeeper_overlays{${CHOSEN}})`, legend: '{{state}}' }],
    }),
  )
  .withPanel(
    table({
      title: 'Sources',
      description: 'What tells which workloads run here: whether it is synced (1), the seconds since it was heard of, and its workloads.',
      unit: 'short',
      width: 8,
      labels: { source: 'Source' },
      units: { Silence: 's' },
      sortBy: 'Workloads',
      queries: [
        { expr: `max by (source) (basekeeper_source_synced{${CHOSEN}})`, legend: 'Synced' },
        { expr: `time() - max by (source) (basekeeper_source_last_contact_timestamp_seconds{${CHOSEN}})`, legend: 'Silence' },
        { expr: `max by (source) (basekeeper_workloads{${CHOSEN}})`, legend: 'Workloads' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Requests to the API',
      description: 'Requests per second to the Kubernetes API, by verb and code. None where workloads come from a file.',
      unit: 'reqps',
      width: 8,
      whenEmpty: 'This agent asks no API.',
      queries: [
        { expr: `sum by (verb, code) (rate(basekeeper_api_requests_total{${CHOSEN}}[$__rate_interval]))`, legend: '{{verb}} {{code}}' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'What the sources could not find out',
      description: 'Gaps of the last pass by kind. 0 is normal; a gap may hold back removals.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `max by (kind) (basekeeper_gaps{${CHOSEN}})`, legend: '{{kind}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Closed gate by reason',
      description:
        'What closes the gate: 0 is normal. ConsistentListMissing and EmptyInventory count only where they hold something back: without anything to remove they are normal.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `sum by (reason) (${GATES})`, legend: '{{reason}}' },
        { expr: HOLDING_BY_REASON, legend: '{{reason}}' },
      ],
    }),
  )
  .withRow(row('Checksums and the agent itself'))
  .withPanel(
    lines({
      title: 'Files checked for their checksums',
      description: 'Base files whose checksums were recorded or compared within an hour.',
      unit: 'short',
      width: 8,
      whenEmpty: 'This agent keeps no checksums.',
      queries: [{ expr: `sum(increase(basekeeper_checksum_files_total{${CHOSEN}}[${WITHIN}]))`, legend: 'files' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Bytes read for checksums',
      description: 'Bytes per second that are read for checksums; verify.checksums.bytesPerSecond bounds them.',
      unit: 'Bps',
      width: 8,
      whenEmpty: 'This agent keeps no checksums.',
      queries: [{ expr: `sum(rate(basekeeper_checksum_read_bytes_total{${CHOSEN}}[$__rate_interval]))`, legend: 'read' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Memory of the agent',
      description: 'Resident memory and heap of the agent.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: `max(process_resident_memory_bytes{${CHOSEN}} and on (job, instance) basekeeper_build_info)`, legend: 'resident' },
        { expr: `max(nodejs_heap_size_used_bytes{${CHOSEN}} and on (job, instance) basekeeper_build_info)`, legend: 'heap used' },
      ],
    }),
  );
