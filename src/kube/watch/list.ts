import { asArray, asText, at, field } from '../../lib/json.ts';
import { KubeApiError } from '../errors.ts';
import type { KubeClient } from '../types.ts';
import { uidOf } from './watch-event.ts';

export interface ListRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly accept: string | undefined;
  readonly pageSize: number;
  /** `0`: whatever the API server's cache has; a version: nothing older than that; undefined: a quorum read. */
  readonly resourceVersion: string | undefined;
  readonly signal: AbortSignal;
}

export interface ListResult<T> {
  readonly version: string;
  readonly items: Map<string, T>;
}

/**
 * Lists page by page and keeps of each object what `select` gives, as soon as the object has come. Only a quorum read is paginated: with
 * `resourceVersion`, a limit would make the API server pass its cache by and read everything from etcd.
 */
export async function listObjects<T>(
  client: KubeClient,
  request: ListRequest,
  select: (object: unknown) => T | undefined,
): Promise<ListResult<T>> {
  const items = new Map<string, T>();
  const take = (object: unknown): void => {
    const item = select(object);
    if (item !== undefined) items.set(uidOf(object), item);
  };
  let next: string | undefined;
  let version: string;
  do {
    const page = await client.request({
      method: 'GET',
      path: request.path,
      query: { ...request.query, ...pageQuery(request, next) },
      accept: request.accept,
      signal: request.signal,
      onItem: take,
    });
    for (const object of itemsOf(page, request.path)) take(object);
    version = versionOf(page, request.path);
    const following = asText(at(page, 'metadata', 'continue'));
    if (following !== undefined && following === next) throw invalid(request.path, 'the same page again and again');
    next = following;
  } while (next !== undefined);
  return { version, items };
}

function pageQuery(request: ListRequest, next: string | undefined): Record<string, string> {
  if (next !== undefined) return { limit: String(request.pageSize), continue: next };
  if (request.resourceVersion === undefined) return { limit: String(request.pageSize) };
  return { resourceVersion: request.resourceVersion, resourceVersionMatch: 'NotOlderThan' };
}

function itemsOf(page: unknown, path: string): readonly unknown[] {
  const items = field(page, 'items');
  // Go writes an empty list as null here and there.
  if (items === null || items === undefined) return [];
  const array = asArray(items);
  if (array === undefined) throw invalid(path, 'no list');
  return array;
}

function versionOf(page: unknown, path: string): string {
  const version = asText(at(page, 'metadata', 'resourceVersion'));
  if (version === undefined) throw invalid(path, 'a list without a resourceVersion');
  return version;
}

function invalid(path: string, what: string): KubeApiError {
  return new KubeApiError({ reason: 'InvalidResponse', message: `GET ${path}: the API server sent ${what}` });
}
