import { KubeApiError } from '../kube/errors.ts';
import { listObjects } from '../kube/watch/list.ts';
import type { KubeClient } from '../kube/types.ts';
import { METADATA_ONLY } from './metadata-only.ts';
import { nodeStatusOf, type NodeStatus } from './node-status.ts';
import { nodePlaceOf, type NodePlace } from './where/node-place.ts';
import type { WhereSubject } from './where/subject.ts';

const STATUSES_PAGE_SIZE = 500;
/** Nodes with all that others write there: a page of them is most of what `where` holds in memory. */
const PLACES_PAGE_SIZE = 100;

interface Asked {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/** The status of each node with these labels, in the API server's order. */
export async function statusesOf(asked: Asked, selector: string | undefined): Promise<readonly NodeStatus[]> {
  return await nodesOf(asked, { selector, pageSize: STATUSES_PAGE_SIZE }, nodeStatusOf);
}

/** What each node with these labels says of an image. */
export async function placesOf(asked: Asked, selector: string | undefined, subject: WhereSubject): Promise<readonly NodePlace[]> {
  return await nodesOf(asked, { selector, pageSize: PLACES_PAGE_SIZE }, (object) => nodePlaceOf(object, subject));
}

interface NodesAsked {
  readonly selector: string | undefined;
  readonly pageSize: number;
}
type ReadNode<T> = (object: unknown) => T | undefined;

async function nodesOf<T>(options: Asked, asked: NodesAsked, read: ReadNode<T>): Promise<readonly T[]> {
  try {
    return await listNodes(options, asked, read);
  } catch (error) {
    // A list that takes its time may outlive its continue token.
    if (error instanceof KubeApiError && error.status === 410) return listNodes(options, asked, read);
    throw error;
  }
}

async function listNodes<T>({ client, signal }: Asked, asked: NodesAsked, read: ReadNode<T>): Promise<readonly T[]> {
  const { selector, pageSize } = asked;
  const query: Record<string, string> = selector === undefined ? {} : { labelSelector: selector };
  const request = { path: '/api/v1/nodes', query, accept: METADATA_ONLY.list, pageSize, resourceVersion: undefined, signal };
  const { items } = await listObjects(client, request, read);
  return [...items.values()];
}
