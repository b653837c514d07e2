/** Basekeeper / Fleet: is it working everywhere, what does it hold, what would it free. */
import { CHOSEN, CLOSED_GATES, dashboard, FINDINGS, GATES, HOLDING_BY_REASON, lines, NODES_THAT_HOLD, row, stat, table } from './parts.ts';
import { FLEET, NODE } from './names.ts';

const BY_NODE = 'by (cluster, node)';
/** Passes of the last three hours: longer than the default interval, with time for a restart. */
const RECENT = '3h';

export const fleet = dashboard({
  ...FLEET,
  description: 'All nodes that run Basekeeper: whether passes come to decisions, what the base images take, and what could be freed.',
  other: NODE,
  severalNodes: true,
})
  .withRow(row('Now'))
  .withPanel(
    stat({
      title: 'Nodes',
      description: 'Nodes whose agent Prometheus can scrape.',
      unit: 'short',
      width: 4,
      queries: [{ expr: `count(count ${BY_NODE} (basekeeper_build_info{${CHOSEN}}))`, legend: 'nodes' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Base files take',
      description: 'Allocated bytes of all files in the base directories, after the last pass of each node.',
      unit: 'bytes',
      width: 4,
      queries: [{ expr: `sum(basekeeper_base_bytes{${CHOSEN}})`, legend: 'cached' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Reclaimable',
      description: 'Bytes of files that nothing uses, that are old enough, and that are still there: removable, or held.',
      unit: 'bytes',
      width: 4,
      queries: [{ expr: `sum(basekeeper_reclaimable_bytes{${CHOSEN}})`, legend: 'reclaimable' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Removed in this time range',
      description: 'Allocated bytes of the base files that were removed in the chosen time range.',
      unit: 'bytes',
      width: 4,
      queries: [{ expr: `sum(increase(basekeeper_removed_bytes_total{${CHOSEN}}[$__range]))`, legend: 'removed' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Nodes that hold back removals',
      description: 'Nodes where files could be removed, but the gate is closed because evidence is incomplete.',
      unit: 'short',
      width: 4,
      redFrom: 1,
      queries: [{ expr: NODES_THAT_HOLD, legend: 'held' }],
    }),
  )
  .withPanel(
    stat({
      title: 'Oldest unused file',
      description:
        'Age of the oldest file that nothing uses. Above the minimum age when its removal is held, or where the mode is dry-run.',
      unit: 's',
      width: 4,
      queries: [{ expr: `max(basekeeper_oldest_unused_seconds{${CHOSEN}})`, legend: 'oldest' }],
    }),
  )
  .withRow(row('Passes and gates'))
  .withPanel(
    lines({
      title: 'Nodes by mode',
      description: 'The mode that is in force on each node, the annotation of the node included.',
      unit: 'short',
      width: 8,
      stacked: true,
      queries: [{ expr: `count by (mode) (basekeeper_mode{${CHOSEN}} == 1)`, legend: '{{mode}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Nodes by result of recent passes',
      description: 'Nodes that had at least one pass with this result within 3 hours; a node with several results counts for each.',
      unit: 'short',
      width: 8,
      stacked: true,
      queries: [
        {
          expr: `count by (result) (sum by (cluster, node, result) (increase(basekeeper_passes_total{${CHOSEN}}[${RECENT}])) > 0)`,
          legend: '{{result}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Closed gates by reason',
      description:
        'Nodes whose gate is closed, by reason. ConsistentListMissing and EmptyInventory count only where they hold something back: without anything to remove they are normal.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `sum by (reason) (${GATES})`, legend: '{{reason}}' },
        { expr: HOLDING_BY_REASON, legend: '{{reason}}' },
      ],
    }),
  )
  .withRow(row('Base files'))
  .withPanel(
    lines({
      title: 'Bytes by state',
      description:
        'Allocated bytes of all base files by why they are there: used, backing of a disk, pinned, young, held, unused, foreign.',
      unit: 'bytes',
      width: 12,
      stacked: true,
      queries: [{ expr: `sum by (state) (basekeeper_base_bytes{${CHOSEN}})`, legend: '{{state}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Removed and reclaimable bytes',
      description: 'What passes removed within 3 hours, and what waits to be removed.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: `sum(increase(basekeeper_removed_bytes_total{${CHOSEN}}[${RECENT}]))`, legend: 'removed within 3 h' },
        { expr: `sum(basekeeper_reclaimable_bytes{${CHOSEN}})`, legend: 'reclaimable' },
      ],
    }),
  )
  .withRow(row('Node by node'))
  .withPanel(
    table({
      title: 'Nodes with the largest base directories',
      description: 'The 20 nodes whose base files take most, what of it could be freed, and the seconds since a pass came to a decision.',
      unit: 'bytes',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node' },
      units: { Files: 'short', 'Last decision': 's' },
      sortBy: 'Cached',
      queries: [
        { expr: `topk(20, sum ${BY_NODE} (basekeeper_base_bytes{${CHOSEN}}))`, legend: 'Cached' },
        { expr: top('max', 'basekeeper_reclaimable_bytes'), legend: 'Reclaimable' },
        { expr: top('sum', 'basekeeper_base_files'), legend: 'Files' },
        { expr: `time() - (${top('max', 'basekeeper_last_success_timestamp_seconds')} > 0)`, legend: 'Last decision' },
      ],
    }),
  )
  .withPanel(
    table({
      title: 'File systems by forecast',
      description:
        'The 20 file systems with the least space left in 24 hours, at the pace of the last 6 hours. Below 0: full by then. A forecast above what is free now means that the space grows.',
      unit: 'bytes',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node' },
      units: { 'Free now': 'bytes' },
      sortBy: 'Free now',
      queries: [
        { expr: `bottomk(20, ${forecast()})`, legend: 'Free in 24 h' },
        {
          expr: `max ${BY_NODE} (basekeeper_filesystem_avail_bytes{${CHOSEN}}) and on (cluster, node) bottomk(20, ${forecast()})`,
          legend: 'Free now',
        },
      ],
    }),
  )
  .withRow(row('What to look at'))
  .withPanel(
    table({
      title: 'Closed gates',
      description: 'Which nodes hold back removals, and why. Empty when no gate is closed.',
      unit: 'short',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node', reason: 'Reason' },
      sortBy: 'Node',
      whenEmpty: 'No gate is closed.',
      queries: [{ expr: CLOSED_GATES, legend: 'Closed' }],
    }),
  )
  .withPanel(
    table({
      title: 'Findings',
      description: 'What a person should look at, by node and type. Empty when there is nothing.',
      unit: 'short',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node', type: 'Type' },
      sortBy: 'Findings',
      whenEmpty: 'Nothing to look at.',
      queries: [{ expr: FINDINGS, legend: 'Findings' }],
    }),
  )
  .withPanel(
    table({
      title: 'Caches over their budget',
      description:
        'Nodes whose cache holds more than its budget after the last pass: a scheduler that reserves the budget promises too much there.',
      unit: 'bytes',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node' },
      sortBy: 'Held',
      whenEmpty: 'No cache is over its budget.',
      queries: [
        { expr: overBudget('basekeeper_cache_bytes'), legend: 'Held' },
        { expr: overBudget('basekeeper_budget_bytes'), legend: 'Budget' },
      ],
    }),
  )
  .withPanel(
    table({
      title: 'Wanted images that are missing',
      description: 'How many images somebody wants on a node that has not fetched them. Which ones: kubectl basekeeper where --wanted.',
      unit: 'short',
      width: 12,
      labels: { cluster: 'Cluster', node: 'Node' },
      sortBy: 'Missing',
      whenEmpty: 'No wanted image is missing.',
      queries: [{ expr: `max ${BY_NODE} (basekeeper_wanted_images{${CHOSEN}, state="missing"}) > 0`, legend: 'Missing' }],
    }),
  );

function overBudget(metric: string): string {
  return `max ${BY_NODE} (${metric}{${CHOSEN}}) and on (cluster, node) basekeeper_budget_exceeded == 1`;
}

/** Of the nodes in the table's first column, and no others. */
function top(aggregation: 'max' | 'sum', metric: string): string {
  const largest = `topk(20, sum ${BY_NODE} (basekeeper_base_bytes{${CHOSEN}}))`;
  return `(${aggregation} ${BY_NODE} (${metric}{${CHOSEN}}) and on (cluster, node) ${largest})`;
}

function forecast(): string {
  return `max ${BY_NODE} (predict_linear(basekeeper_filesystem_avail_bytes{${CHOSEN}}[6h], 86400))`;
}
