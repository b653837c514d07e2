import { isPassing } from '../kube/watch/health.ts';
import { listObjects } from '../kube/watch/list.ts';
import { parseWatchEvent, watchQuery } from '../kube/watch/watch-event.ts';
import type { KubeClient } from '../kube/types.ts';
import { sleep } from '../lib/sleep.ts';
import { METADATA_ONLY } from './metadata-only.ts';
import { nodeStatusOf, type NodeStatus } from './node-status.ts';

const WATCH_SECONDS = 300;
const PAGE_SIZE = 500;
const RETRY_MS = 2000;

/** Which nodes: by labels, or one by its name. */
export interface WatchedNodes {
  readonly selector?: string | undefined;
  readonly node?: string | undefined;
}

export interface WatchOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/**
 * Calls `onChanged` with the statuses of all nodes, and then with each that changed, until the signal aborts. A watch that breaks is
 * begun again; throws `KubeApiError` where that cannot help, and where the first list fails.
 */
export async function watchStatuses(
  { client, signal }: WatchOptions,
  nodes: WatchedNodes,
  onChanged: (statuses: readonly NodeStatus[]) => Promise<void>,
): Promise<void> {
  const query = queryFor(nodes);
  const shown = new Map<string, string>();
  const show = async (statuses: Iterable<NodeStatus>): Promise<void> => {
    const changed = [...statuses].filter((status) => shown.get(status.node) !== JSON.stringify(status));
    for (const status of changed) shown.set(status.node, JSON.stringify(status));
    if (changed.length > 0) await onChanged(changed);
  };
  for (let listed = false; !signal.aborted; await sleep(RETRY_MS, signal)) {
    try {
      const request = { path: '/api/v1/nodes', query, accept: METADATA_ONLY.list, pageSize: PAGE_SIZE, resourceVersion: undefined, signal };
      const { items, version } = await listObjects(client, request, nodeStatusOf);
      listed = true;
      await show(items.values());
      await follow({ client, signal }, { ...query, ...watchQuery(version, WATCH_SECONDS) }, show);
    } catch (error) {
      if (signal.aborted) return;
      if (!listed || !isPassing(error)) throw error;
    }
  }
}

function queryFor({ selector, node }: WatchedNodes): Record<string, string> {
  return {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(node === undefined ? {} : { fieldSelector: `metadata.name=${node}` }),
  };
}

async function follow(
  { client, signal }: WatchOptions,
  query: Readonly<Record<string, string>>,
  show: (statuses: readonly NodeStatus[]) => Promise<void>,
): Promise<void> {
  const request = { method: 'GET', path: '/api/v1/nodes', query, accept: METADATA_ONLY.object, signal } as const;
  for await (const line of client.stream({ ...request, idleTimeoutMs: (WATCH_SECONDS + 60) * 1000 })) {
    const event = parseWatchEvent(line);
    const status = event.type === 'ADDED' || event.type === 'MODIFIED' ? nodeStatusOf(event.object) : undefined;
    if (status !== undefined) await show([status]);
  }
}
