import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../src/kube/errors.ts';
import type { KubeClient, KubeRequest } from '../../../src/kube/types.ts';
import { filledFields, type FilledField } from '../../helpers/api-fields.ts';
import { asAdmin } from '../../helpers/kube-server.ts';
import { event, EVENTS, NODE, OTHER, patchEvent, patchNode, startPolicyServer, type PolicyServer } from '../../helpers/policy-server.ts';

/** What one write may add to an object: the annotations that an agent may write are tried elsewhere. */
const MAX_CHARACTERS = 4096;

let policies: PolicyServer;

beforeAll(async () => {
  policies = await startPolicyServer();
  await asAdmin(policies.server, 'POST', EVENTS, event('ours', {}));
});

afterAll(async () => {
  await policies.stop();
});

/** The fields that the API server would have kept. */
async function kept(client: KubeClient, fields: readonly FilledField[], write: (value: object) => KubeRequest): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const { path, value } of fields) {
    const answer = await client.request(write(value)).catch((error: unknown) => {
      if (error instanceof KubeApiError && error.status !== undefined) return undefined;
      throw error;
    });
    if (answer !== undefined && JSON.stringify(answer).length > MAX_CHARACTERS) paths.push(path);
  }
  return paths;
}

const eventFields = () => filledFields(policies.server, 'apis/events.k8s.io/v1', 'io.k8s.api.events.v1.Event');
const nodeFields = () => filledFields(policies.server, 'api/v1', 'io.k8s.api.core.v1.Node');

let names = 0;

/** A new event with the field in it; `metadata`, `regarding` and `related` stay complete. */
function eventWith(value: object): object {
  const base = event(`new-${names++}`, { related: { apiVersion: 'v1', kind: 'Pod', namespace: 'vms', name: 'vm-1' } }) as Record<
    string,
    unknown
  >;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(value)])].map((key) => {
      const [before, now] = [base[key], (value as Record<string, unknown>)[key]];
      return [key, typeof before === 'object' && typeof now === 'object' ? { ...before, ...now } : (now ?? before)];
    }),
  );
}

const createEventWith = (value: object): KubeRequest => ({ method: 'POST', path: EVENTS, body: eventWith(value) });
const dry = (request: KubeRequest): KubeRequest => ({ ...request, query: { dryRun: 'All' } });
/** The store itself refuses some fields, which a dry run does not ask. */
const stored = (request: KubeRequest): KubeRequest => ({ ...request, query: {} });

describe('a field of an object', () => {
  it('should be one of all that the API server has', async () => {
    const paths = [...(await eventFields()), ...(await nodeFields())].map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['related.namespace', 'series.lastObservedTime', 'deprecatedSource.host', 'note']));
    expect(paths).toEqual(expect.arrayContaining(['metadata.selfLink', 'metadata.managedFields[].fieldsV1{3}', 'metadata.labels{key}']));
    expect(paths).toEqual(expect.arrayContaining(['spec.taints[].key', 'status.images[].names[]']));
  });

  it('should be kept large for an administrator, so that a refusal is the policy’s', async () => {
    const created = await kept(policies.admin, await eventFields(), (value) => dry(createEventWith(value)));
    expect(created).toEqual(expect.arrayContaining(['related.namespace', 'related.name', 'metadata.annotations{value}']));
    const patched = await kept(policies.admin, await nodeFields(), (value) => patchNode(NODE, value));
    expect(patched).toEqual(expect.arrayContaining(['metadata.managedFields[].fieldsV1{3}', 'metadata.annotations{value}']));
  });
});

describe('with an agent’s token', () => {
  it('should no field of a new event be large', async () => {
    expect(await kept(policies.agent, await eventFields(), createEventWith)).toEqual([]);
  });

  it('should no field of an event become large', async () => {
    expect(await kept(policies.agent, await eventFields(), (value) => stored(patchEvent('ours', value)))).toEqual([]);
  });

  it('should no field of its node become large', async () => {
    expect(await kept(policies.agent, await nodeFields(), (value) => stored(patchNode(NODE, value)))).toEqual([]);
  });
});

describe('with the clean-up job’s token', () => {
  it('should no field of a node become large', async () => {
    expect(await kept(policies.cleanup, await nodeFields(), (value) => stored(patchNode(OTHER, value)))).toEqual([]);
  });
});
