import pLimit from 'p-limit';
import { KubeApiError } from '../kube/errors.ts';
import { listObjects } from '../kube/watch/list.ts';
import type { KubeClient } from '../kube/types.ts';
import { KEY_PREFIX } from '../model/annotation-keys.ts';
import { messageOf } from '../lib/errors.ts';
import { METADATA_ONLY } from './metadata-only.ts';
import { asObject, asText, at } from '../lib/json.ts';
import { sendWithRetries } from '../kube/retry.ts';
import type { Timing } from '../lib/timing.ts';

const PAGE_SIZE = 500;
const CONCURRENCY = 8;
/** An agent that is just being stopped may write once more. */
const ROUNDS = 3;
const ROUND_PAUSE_MS = 2000;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface NodeCleanup {
  /** Names of the nodes that had annotations of ours and no longer have. */
  readonly cleaned: readonly string[];
  /** Nodes that still have some, and why. */
  readonly failed: ReadonlyMap<string, string>;
}

export interface NodeCleanupOptions {
  readonly client: KubeClient;
  readonly timing: Timing;
  readonly signal: AbortSignal;
}

/** A node with annotations of ours. */
interface Annotated {
  readonly name: string;
  readonly keys: readonly string[];
}

/**
 * Removes every annotation below `basekeeper.io/` from every node, those that people wrote included, and looks again until there is none.
 *
 * @throws KubeApiError when the nodes cannot be listed; what cannot be done to a single node is in the result
 */
export async function removeNodeAnnotations(options: NodeCleanupOptions): Promise<NodeCleanup> {
  const cleaned = new Set<string>();
  let failed = new Map<string, string>();
  for (let round = 1; round <= ROUNDS; round++) {
    if (round > 1) await options.timing.sleep(ROUND_PAUSE_MS, options.signal);
    const nodes = await annotatedNodes(options);
    if (nodes.length === 0) return { cleaned: [...cleaned], failed: new Map() };
    failed = await cleanNodes(nodes, options);
    for (const { name } of nodes) {
      if (failed.has(name)) cleaned.delete(name);
      else cleaned.add(name);
    }
  }
  return { cleaned: [...cleaned], failed };
}

async function annotatedNodes({ client, timing, signal }: NodeCleanupOptions): Promise<Annotated[]> {
  const request = { path: '/api/v1/nodes', query: {}, accept: METADATA_LIST, pageSize: PAGE_SIZE, resourceVersion: undefined, signal };
  const { items } = await sendWithRetries(() => listObjects(client, request, annotated), timing, signal);
  return [...items.values()];
}

function annotated(node: unknown): Annotated | undefined {
  const name = asText(at(node, 'metadata', 'name'));
  const keys = Object.keys(asObject(at(node, 'metadata', 'annotations')) ?? {}).filter((key) => key.startsWith(KEY_PREFIX));
  return name === undefined || keys.length === 0 ? undefined : { name, keys };
}

async function cleanNodes(nodes: readonly Annotated[], options: NodeCleanupOptions): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  await pLimit(CONCURRENCY).map(nodes, async (node) => {
    const failure = await cleanNode(node, options);
    if (failure !== undefined) failed.set(node.name, failure);
  });
  return failed;
}

/** Why it could not be done; undefined when it was, or when the node is gone. */
async function cleanNode({ name, keys }: Annotated, { client, timing, signal }: NodeCleanupOptions): Promise<string | undefined> {
  const patch = {
    method: 'PATCH',
    path: `/api/v1/nodes/${encodeURIComponent(name)}`,
    body: { metadata: { annotations: Object.fromEntries(keys.map((key) => [key, null])) } },
    contentType: 'application/merge-patch+json',
    accept: METADATA_ONLY.object,
    signal,
  } as const;
  try {
    await sendWithRetries(() => client.request(patch), timing, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeApiError)) throw error;
    return error.status === 404 ? undefined : messageOf(error);
  }
}
