import { asArray, asText, field } from '../../lib/json.ts';
import { KubeApiError } from '../errors.ts';
import type { KubeClient } from '../types.ts';

/** Asks the API server's discovery whether a resource exists: a 404 alone may come from anything between it and us. */
export interface ApiPresence {
  /**
   * Throws `KubeApiError` when discovery does not answer. An answer younger than `notBeforeMs` (by the monotonic clock) is shared,
   * so that several reflectors of one resource ask once.
   */
  exists(notBeforeMs: number, signal: AbortSignal): Promise<boolean>;
}

/** Looks `group`/`version` up in `/apis`, and `resource` in the group's own list only where the group is there. */
export function createApiPresence(options: {
  readonly client: KubeClient;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): ApiPresence {
  let last: { readonly askedAtMs: number; readonly answer: Promise<boolean> } | undefined;
  return {
    exists: async (notBeforeMs, signal) => {
      if (last === undefined || last.askedAtMs < notBeforeMs) last = { askedAtMs: options.now(), answer: ask(options, signal) };
      const asked = last;
      try {
        return await asked.answer;
      } catch (error) {
        if (last === asked) last = undefined;
        throw error;
      }
    },
  };
}

async function ask(
  options: { readonly client: KubeClient; readonly group: string; readonly version: string; readonly resource: string },
  signal: AbortSignal,
): Promise<boolean> {
  const groups = await discover(options.client, '/apis', 'APIGroupList', 'groups', signal);
  const group = groups.find((entry) => asText(field(entry, 'name')) === options.group);
  const versions = asArray(field(group, 'versions')) ?? [];
  if (!versions.some((entry) => asText(field(entry, 'version')) === options.version)) return false;
  const path = `/apis/${options.group}/${options.version}`;
  const resources = await discover(options.client, path, 'APIResourceList', 'resources', signal);
  return resources.some((entry) => asText(field(entry, 'name')) === options.resource);
}

/** The entries below `key` of a discovery document of that kind. Throws `KubeApiError`. */
export async function discover(
  client: KubeClient,
  path: string,
  kind: string,
  key: string,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const answer = await client.request({ method: 'GET', path, signal });
  const entries = asArray(field(answer, key));
  if (asText(field(answer, 'kind')) !== kind || entries === undefined) {
    throw new KubeApiError({ reason: 'InvalidResponse', message: `GET ${path}: the answer is not of kind ${kind}` });
  }
  return entries;
}
