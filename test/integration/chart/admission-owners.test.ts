import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient, KubeRequest } from '../../../src/kube/types.ts';
import { annotate, NODE, OTHER, patchNode, startPolicyServer, type PolicyServer } from '../../helpers/policy-server.ts';

/** Who owns which field of a Node (`metadata.managedFields`), as those may change it who hold the agent's or the clean-up job's token. */

const OWN = 'basekeeper';
const LARGE = `f:${'z'.repeat(1000)}`;
const REFUSAL = 'leaves it to the API server who owns which field of a Node';

interface Entry {
  readonly manager: string;
  readonly time: string;
  readonly fieldsV1: { readonly 'f:metadata'?: { readonly 'f:annotations'?: Readonly<Record<string, object>> } };
}

let policies: PolicyServer;
let agent: KubeClient;
let admin: KubeClient;
let cleanup: KubeClient;

beforeAll(async () => {
  policies = await startPolicyServer();
  ({ agent, admin, cleanup } = policies);
});

afterAll(async () => {
  await policies.stop();
});

/** Stored, in the name of a manager. */
const by = (manager: string, request: KubeRequest): KubeRequest => ({ ...request, query: { fieldManager: manager } });

async function entries(name: string): Promise<readonly Entry[]> {
  const node = (await admin.request({ method: 'GET', path: `/api/v1/nodes/${name}` })) as { metadata: { managedFields: Entry[] } };
  return node.metadata.managedFields;
}

/** The entries of a Node, of which one is another. Not stored. */
async function withEntry(name: string, manager: string, changed: (entry: Entry) => object): Promise<KubeRequest> {
  const before = await entries(name);
  expect(before.map((entry) => entry.manager)).toContain(manager);
  return patchNode(name, { metadata: { managedFields: before.map((entry) => (entry.manager === manager ? changed(entry) : entry)) } });
}

/** The entry with something below the names of its annotations. */
function deeper(entry: Entry): object {
  const names = Object.keys(entry.fieldsV1['f:metadata']?.['f:annotations'] ?? {});
  expect(names).not.toEqual([]);
  const annotations = Object.fromEntries(names.map((name) => [name, name === '.' ? {} : { [LARGE]: {} }]));
  return { ...entry, fieldsV1: { ...entry.fieldsV1, 'f:metadata': { ...entry.fieldsV1['f:metadata'], 'f:annotations': annotations } } };
}

const below = (entry: Entry, key: string): object => ({ ...entry, fieldsV1: { ...entry.fieldsV1, [key]: { [LARGE]: {} } } });

describe('who owns which field of a Node', () => {
  beforeEach(async () => {
    for (const name of [NODE, OTHER]) {
      await admin.request(by('people', annotate({ 'example.com/people': '1', 'basekeeper.io/pin': 'x' }, name)));
      await admin.request(by(OWN, annotate({ 'basekeeper.io/result': 'r' }, name)));
    }
  });

  it.each<[string, string, (entry: Entry) => object]>([
    ['something below the annotations of its own entry', OWN, deeper],
    ['something below the annotations of another’s entry', 'people', deeper],
    ['another field in its own entry', OWN, (entry) => below(entry, 'f:spec')],
    ['another field in another’s entry', 'people', (entry) => below(entry, 'f:status')],
    ['another time in another’s entry', 'people', (entry) => ({ ...entry, time: '2001-01-01T00:00:00Z' })],
    ['another name for another', 'people', (entry) => ({ ...entry, manager: 'persons' })],
    ['the name that stands for many, for another', 'people', (entry) => ({ ...entry, manager: 'ancient-changes' })],
    ['a part of a Node for another', 'people', (entry) => ({ ...entry, subresource: LARGE.slice(0, 200) })],
  ])('should not be changed: %s', async (_title, manager, changed) => {
    await expect(agent.request(await withEntry(NODE, manager, changed))).rejects.toThrow(REFUSAL);
    await expect(cleanup.request(await withEntry(OTHER, manager, changed))).rejects.toThrow(REFUSAL);
  });

  it('should keep an agent from nothing, though somebody has filled the entries', async () => {
    const before = await entries(NODE);
    for (const manager of [OWN, 'people']) {
      await admin.request({ ...(await withEntry(NODE, manager, deeper)), query: {} });
    }
    expect(JSON.stringify(await entries(NODE))).toContain(LARGE);
    const written = { 'basekeeper.io/result': 's', 'basekeeper.io/summary': 't', 'basekeeper.io/cache': null };
    await expect(agent.request(by(OWN, annotate(written)))).resolves.toBeDefined();
    await expect(cleanup.request(annotate({ 'basekeeper.io/result': null }))).resolves.toBeDefined();
    await admin.request({ ...patchNode(NODE, { metadata: { managedFields: before } }), query: {} });
  });
});

// The last: it leaves more owners than the API server keeps.
describe('the entry of many owners', () => {
  beforeAll(async () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'm' }];
    for (const name of [NODE, OTHER]) {
      await admin.request(by('kubelet', { ...patchNode(name, { status: { conditions } }, '/status') }));
      const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`example.com/many-${index}`, '1']));
      await admin.request(by('manager-of-many', annotate(many, name)));
      for (let index = 0; index < 14; index++) {
        await admin.request(by(`manager-${index}`, patchNode(name, { metadata: { labels: { [`label-${index}`]: '1' } } })));
      }
    }
  });

  it('should be made by the API server while agent and clean-up job write', async () => {
    // The oldest entries are joined, by whole seconds and then by name: ours is to be younger than those of before.
    await sleep(1100);
    for (let index = 0; index < 3; index++) {
      await expect(agent.request(by(OWN, annotate({ 'basekeeper.io/summary': String(index) })))).resolves.toBeDefined();
      await admin.request(by(`later-${index}`, patchNode(NODE, { metadata: { labels: { [`later-${index}`]: '1' } } })));
    }
    expect((await entries(NODE)).map(({ manager }) => manager)).toEqual(expect.arrayContaining(['ancient-changes', OWN]));
    await expect(cleanup.request(annotate({ 'basekeeper.io/mode': null }, OTHER))).resolves.toBeDefined();
  });

  it.each<[string, (entry: Entry) => object]>([
    ['below its annotations', deeper],
    ['of the Node', (entry) => below(entry, LARGE)],
    ['of the Node’s status', (entry) => below(entry, 'f:status')],
    [
      'below a field that another has',
      (entry) => ({ ...entry, fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': { 'f:type': { [LARGE]: {} } } } } } }),
    ],
  ])('should hold nothing that no owner had: %s', async (_title, changed) => {
    await expect(agent.request(await withEntry(NODE, 'ancient-changes', changed))).rejects.toThrow(REFUSAL);
    await expect(cleanup.request(await withEntry(OTHER, 'ancient-changes', changed))).rejects.toThrow(REFUSAL);
  });
});
