import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventBody } from '../../../src/report/events/body.ts';
import { eventValue } from '../../../src/report/events/event.ts';
import { EVENT_REASONS, type EventReason } from '../../../src/report/events/reasons.ts';
import { EVENT_CONTROLLER } from '../../../src/report/events/sender.ts';
import type { KubeClient, KubeRequest } from '../../../src/kube/types.ts';
import { asAdmin } from '../../helpers/kube-server.ts';
import {
  createEvent,
  event,
  EVENTS,
  NODE,
  OTHER,
  patchEvent,
  series,
  startPolicyServer,
  type PolicyServer,
} from '../../helpers/policy-server.ts';

const VM = { apiVersion: 'v1', kind: 'Pod', namespace: 'vms', name: 'vm-1', uid: 'a3e5b1c8-3a4e-4f7e-9c3e-0d6f1b2c3d4e' };
const OUR_NODE = { apiVersion: 'v1', kind: 'Node', name: NODE, uid: 'b3e5b1c8-3a4e-4f7e-9c3e-0d6f1b2c3d4e' };
const OLD_EVENTS = '/api/v1/namespaces/default/events';
const OLD = { reportingController: undefined, reportingComponent: 'basekeeper.io/agent', regarding: undefined, involvedObject: OUR_NODE };
const REASONS = Object.keys(EVENT_REASONS) as EventReason[];
const OBJECT_REASONS = REASONS.filter((reason) => EVENT_REASONS[reason].regarding !== 'Node');
const aboutVm = { reason: 'UnmappedWorkload', type: 'Warning', action: 'ListWorkloads', regarding: VM, related: OUR_NODE };

let policies: PolicyServer;
let agent: KubeClient;

beforeAll(async () => {
  policies = await startPolicyServer();
  ({ agent } = policies);
  await asAdmin(policies.server, 'POST', '/api/v1/namespaces', { metadata: { name: 'vms' } });
  await asAdmin(policies.server, 'POST', EVENTS, event('ours', {}));
  await asAdmin(policies.server, 'POST', EVENTS, event('of-an-older-version', { reason: 'NoLongerKnown' }));
});

afterAll(async () => {
  await policies.stop();
});

/** In the namespace `vms`, not stored. */
function createThere(body: object): Promise<unknown> {
  const path = EVENTS.replace('/default/', '/vms/');
  return agent.request({ method: 'POST', path, query: { dryRun: 'All' }, body });
}

const inVms = (changes: object): object => ({ ...event('new', { ...aboutVm, ...changes }), metadata: { name: 'new', namespace: 'vms' } });

/** As the agent itself writes it. */
function written(reason: EventReason, regarding: typeof VM | typeof OUR_NODE): object {
  const related = regarding === OUR_NODE ? undefined : OUR_NODE;
  const value = eventValue(reason, { problem: 'p', regarding, related }, `${'💾'.repeat(150)}${'x'.repeat(2000)}`);
  return eventBody(value, { name: 'new', controller: EVENT_CONTROLLER, instance: NODE, eventMs: Date.parse('2026-11-23T14:00:00Z') });
}

describe('an event of the agent', () => {
  it.each(REASONS)('should be allowed about its node, as the agent writes it: %s', async (reason) => {
    const body = written(reason, OUR_NODE);
    await expect(agent.request({ method: 'POST', path: EVENTS, query: { dryRun: 'All' }, body })).resolves.toBeDefined();
  });

  it.each(OBJECT_REASONS)('should be allowed about the object of a VM, as the agent writes it: %s', async (reason) => {
    await expect(createThere(written(reason, VM))).resolves.toBeDefined();
  });

  it.each(['ours', 'of-an-older-version'])('should be counted when it repeats: %s', async (name) => {
    await expect(agent.request(patchEvent(name, series))).resolves.toBeDefined();
  });
});

describe('an event with an agent’s token', () => {
  it.each<[string, object, RegExp]>([
    ['about another node', { regarding: { ...OUR_NODE, name: OTHER } }, /reports events about that node/],
    [
      'about an object in "default" that is not related to its node',
      { ...aboutVm, regarding: { ...VM, namespace: 'default' }, related: undefined },
      /reports events about that node/,
    ],
    [
      'about an object in "default" that is related to another node',
      { ...aboutVm, regarding: { ...VM, namespace: 'default' }, related: { ...OUR_NODE, name: OTHER } },
      /reports events about that node/,
    ],
    [
      'about another node, as related to its own',
      { ...aboutVm, regarding: { ...OUR_NODE, name: OTHER } },
      /reports events about that node/,
    ],
    ['of a reason that is not the agent’s', { reason: 'NodeNotReady' }, /no event of this reason/],
    ['without a reason', { reason: undefined }, /Required value/],
    ['of a reason with another type', { type: 'Warning' }, /no event of this reason/],
    ['of a reason with another action', { action: 'Evict' }, /no event of this reason/],
    ['about a part of an object', { regarding: { ...OUR_NODE, fieldPath: 'x'.repeat(100_000) } }, /about whole objects/],
    ['about an object of a version', { regarding: { ...OUR_NODE, resourceVersion: 'x'.repeat(100_000) } }, /about whole objects/],
    ['with a UID that is none', { regarding: { ...OUR_NODE, uid: 'x'.repeat(100_000) } }, /about whole objects/],
    [
      'with a related object of a namespace that is none',
      { related: { ...VM, namespace: 'x'.repeat(64) } },
      /that the API server could have/,
    ],
    ['with a related object that is large', { related: { kind: 'x'.repeat(100_000) } }, /names that the API server could have/],
  ])('should be refused %s', async (_title, changes, message) => {
    await expect(agent.request(createEvent(changes))).rejects.toThrow(message);
  });

  it('should be refused about an object of a VM for a reason that is about nodes', async () => {
    const facts = { reason: 'BaseFilesRemoved', type: 'Normal', action: 'RemoveBaseFiles' };
    await expect(createThere(inVms(facts))).rejects.toThrow('reports events about that node');
  });

  const metadata: readonly [string, object][] = [
    ['labels', { labels: { a: 'b' } }],
    ['annotations', { annotations: { a: 'x'.repeat(100_000) } }],
    ['finalizers', { finalizers: ['example.com/for-ever'] }],
    ['owners', { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: NODE, uid: '1' }] }],
    ['a generated name', { generateName: 'x' }],
  ];

  it.each(metadata)('should be refused with %s', async (_title, more) => {
    const created = createEvent({ metadata: { name: 'new', namespace: 'default', ...more } });
    await expect(agent.request(created)).rejects.toThrow('neither labels, annotations, finalizers, owners, a link nor a generated name');
  });

  it.each(metadata)('should be refused %s afterwards', async (_title, more) => {
    const patched = agent.request(patchEvent('ours', { metadata: more }));
    await expect(patched).rejects.toThrow('neither labels, annotations, finalizers, owners, a link nor a generated name');
  });

  it('should be refused a link afterwards', async () => {
    const patched = agent.request(patchEvent('ours', { metadata: { selfLink: 'x'.repeat(100_000) } }));
    await expect(patched).rejects.toThrow('neither labels, annotations, finalizers, owners, a link nor a generated name');
  });

  it.each<[string, KubeRequest]>([
    ['created', { ...createEvent({}), path: OLD_EVENTS, body: event('new', OLD) }],
    ['changed', { ...patchEvent('ours', { message: 'x'.repeat(1000) }), path: `${OLD_EVENTS}/ours` }],
  ])('should not be %s by the older API, where a right to that is given', async (_title, request) => {
    await expect(agent.request(request)).rejects.toThrow('writes events by events.k8s.io only');
  });

  it('should be refused with owners of its fields that fill the store', async () => {
    const fieldsV1 = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f:${index}`, {}]));
    const entry = {
      manager: 'x',
      operation: 'Update',
      apiVersion: 'events.k8s.io/v1',
      time: '2026-11-23T14:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1,
    };
    const managedFields = [entry];
    await expect(agent.request(createEvent({ metadata: { name: 'new', namespace: 'default', managedFields } }))).rejects.toThrow(
      'leaves it to the API server who owns which field',
    );
    await expect(agent.request(patchEvent('ours', { metadata: { managedFields } }))).rejects.toThrow(
      'leaves it to the API server who owns which field',
    );
  });
});
