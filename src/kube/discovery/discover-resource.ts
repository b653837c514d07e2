import { asText, field } from '../../lib/json.ts';
import { discover } from './api-presence.ts';
import { KubeApiError } from '../errors.ts';
import type { KubeClient } from '../types.ts';

export interface DiscoveredResource {
  /** Plural name, as paths and RBAC have it. */
  readonly name: string;
  readonly namespaced: boolean;
  /** Of `/api/v1` or `/apis/<group>/<version>`, without a trailing slash. */
  readonly groupPath: string;
}

/**
 * Asks the API server's discovery under which name it serves a kind. Throws `KubeApiError` when discovery does not answer, and
 * (`NotFound`, without a status) when it knows no such kind.
 */
export async function discoverResource(
  client: KubeClient,
  wanted: { readonly apiVersion: string; readonly kind: string; readonly resource?: string | undefined },
  signal: AbortSignal,
): Promise<DiscoveredResource> {
  const groupPath = wanted.apiVersion.includes('/') ? `/apis/${wanted.apiVersion}` : `/api/${wanted.apiVersion}`;
  const entries = await resourcesOf(client, groupPath, signal);
  const found = entries.find(
    (entry) =>
      asText(field(entry, 'kind')) === wanted.kind &&
      // `virtualmachines/status` has the same kind.
      asText(field(entry, 'name'))?.includes('/') === false &&
      (wanted.resource === undefined || field(entry, 'name') === wanted.resource),
  );
  const name = asText(field(found, 'name'));
  if (name === undefined) {
    const what = `${wanted.apiVersion} ${wanted.kind}${wanted.resource === undefined ? '' : ` (${wanted.resource})`}`;
    throw new KubeApiError({ reason: 'NotFound', message: `the cluster has no ${what}` });
  }
  return { name, namespaced: field(found, 'namespaced') === true, groupPath };
}

/** Nothing for a group or version that the cluster does not have. */
async function resourcesOf(client: KubeClient, groupPath: string, signal: AbortSignal): Promise<readonly unknown[]> {
  try {
    return await discover(client, groupPath, 'APIResourceList', 'resources', signal);
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 404) return [];
    throw error;
  }
}
