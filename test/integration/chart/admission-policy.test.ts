import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeApiError } from '../../../src/kube/errors.ts';
import type { KubeClient, KubeRequest } from '../../../src/kube/types.ts';
import { asAdmin } from '../../helpers/kube-server.ts';
import {
  annotate,
  createEvent,
  event,
  EVENTS,
  NODE,
  OTHER,
  patchEvent,
  patchNode,
  REFUSED,
  series,
  startPolicyServer,
  type PolicyServer,
} from '../../helpers/policy-server.ts';

const DRY = { dryRun: 'All' };

let policies: PolicyServer;
let agent: KubeClient;
let admin: KubeClient;
let cleanup: KubeClient;
let podless: KubeClient;

beforeAll(async () => {
  policies = await startPolicyServer();
  ({ agent, admin, cleanup, podless } = policies);
  await asAdmin(policies.server, 'POST', EVENTS, event('kubelets', { reportingController: 'kubelet' }));
  await asAdmin(policies.server, 'POST', EVENTS, event('ours', {}));
  await asAdmin(policies.server, 'POST', EVENTS, event('of-another-agent', { reportingInstance: OTHER }));
});

afterAll(async () => {
  await policies.stop();
});

/** An entry of `managedFields` that is nobody's but the API server's to write. */
const owner = (manager: string, field: string) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-11-23T14:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { [field]: { 'f:x': {} } },
});

describe('an agent', () => {
  it.each<[string, () => KubeRequest]>([
    ['write its own node’s annotations', () => annotate({ 'basekeeper.io/summary': 's', 'basekeeper.io/run-now-done': '1' })],
    ['change and remove them', () => annotate({ 'basekeeper.io/result': null, 'basekeeper.io/cache': '{}' })],
    [
      'write as much as its annotations may have',
      () => annotate({ 'basekeeper.io/images': 'x'.repeat(2048), 'basekeeper.io/summary': 'é'.repeat(2044), 'basekeeper.io/result': null }),
    ],
    ['report an event', () => createEvent({})],
    ['count a repetition of its own event', () => patchEvent('ours', series)],
  ])('should be allowed to %s', async (_title, request) => {
    await expect(agent.request(request())).resolves.toBeDefined();
  });

  it.each<[string, () => KubeRequest]>([
    ['write another node’s annotations', () => annotate({ 'basekeeper.io/summary': 's' }, OTHER)],
    ['add an annotation that is not ours', () => annotate({ 'example.com/new': '1' })],
    ['add an annotation that only contains our prefix', () => annotate({ 'x.basekeeper.io/new': '1' })],
    ['change an annotation that is not ours', () => annotate({ 'example.com/other': '2' })],
    ['remove an annotation that is not ours', () => annotate({ 'example.com/other': null })],
    ['change the mode that a person set', () => annotate({ 'basekeeper.io/mode': 'enforce' })],
    ['remove the mode that a person set', () => annotate({ 'basekeeper.io/mode': null })],
    ['ask itself for a pass', () => annotate({ 'basekeeper.io/run-now': '1' })],
    ['add an annotation below our prefix that it does not have', () => annotate({ 'basekeeper.io/new': '1' })],
    ['write more than an annotation may have', () => annotate({ 'basekeeper.io/images': 'x'.repeat(2049) })],
    [
      'write more than all of them may have',
      () => annotate({ 'basekeeper.io/images': 'x'.repeat(2048), 'basekeeper.io/summary': 'é'.repeat(2048), 'basekeeper.io/result': 's' }),
    ],
    ['want an image', () => annotate({ 'basekeeper.io/wanted': 'x' })],
    ['pin a file', () => annotate({ 'basekeeper.io/pin': 'file:*' })],
    ['label its node', () => patchNode(NODE, { metadata: { labels: { a: 'c' } } })],
    ['remove a label of its node', () => patchNode(NODE, { metadata: { labels: { a: null } } })],
    ['cordon its node', () => patchNode(NODE, { spec: { unschedulable: true } })],
    ['taint its node', () => patchNode(NODE, { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } })],
    ['keep its node from being deleted', () => patchNode(NODE, { metadata: { finalizers: ['example.com/a'] } })],
    [
      'give its node an owner',
      () => patchNode(NODE, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: OTHER, uid: '1' }] } }),
    ],
    ['give its node a name to generate from', () => patchNode(NODE, { metadata: { generateName: 'x' } })],
    [
      'say that another manager owns fields of its node',
      () => patchNode(NODE, { metadata: { managedFields: [owner('kubelet', 'f:spec')] } }),
    ],
    ['say that it owns other fields of its node', () => patchNode(NODE, { metadata: { managedFields: [owner('basekeeper', 'f:spec')] } })],
    [
      'write under another manager’s name',
      () => ({ ...annotate({ 'basekeeper.io/summary': 's' }), query: { ...DRY, fieldManager: 'kubelet' } }),
    ],
    ['write its node’s status', () => patchNode(NODE, { status: { phase: 'Terminated' } }, '/status')],
    ['create a node, be it its own', () => ({ method: 'POST', path: '/api/v1/nodes', query: DRY, body: { metadata: { name: NODE } } })],
    ['delete its node', () => ({ method: 'DELETE', path: `/api/v1/nodes/${NODE}`, query: DRY })],
    ['report an event as the kubelet', () => createEvent({ reportingController: 'kubelet' })],
    ['report an event as another agent', () => createEvent({ reportingInstance: OTHER })],
    ['count a repetition of the kubelet’s event', () => patchEvent('kubelets', series)],
    ['count a repetition of another agent’s event', () => patchEvent('of-another-agent', series)],
    ['delete an event', () => ({ method: 'DELETE', path: `${EVENTS}/ours`, query: DRY })],
  ])('should not be allowed to %s', async (_title, request) => {
    await expect(agent.request(request())).rejects.toThrow(REFUSED);
  });

  it('should not be able to make another’s event its own', async () => {
    const mine = { reportingController: 'basekeeper.io/agent', reportingInstance: NODE, ...series };
    for (const name of ['kubelets', 'of-another-agent'])
      await expect(agent.request(patchEvent(name, mine))).rejects.toThrow('field is immutable');
  });

  it.each<[string, () => KubeRequest]>([
    ['annotate a node', () => annotate({ 'basekeeper.io/summary': 's' })],
    ['report an event', () => createEvent({})],
  ])('should not be allowed to %s with a token that no pod on a node is bound to', async (_title, request) => {
    await expect(podless.request(request())).rejects.toThrow(REFUSED);
  });

  it('should leave it to the API server who owns which field', async () => {
    for (const entry of [owner('kubelet', 'f:spec'), owner('basekeeper', 'f:spec'), owner('test', 'f:more')]) {
      const written = agent.request(patchNode(NODE, { metadata: { managedFields: [entry] } }));
      await expect(written).rejects.toThrow('leaves it to the API server who owns which field of a Node');
    }
  });

  it('should be allowed to write beside an annotation of its own that a person made too long', async () => {
    await admin.request({ ...annotate({ 'basekeeper.io/run-now-done': 'x'.repeat(9000) }), query: {} });
    await expect(agent.request(annotate({ 'basekeeper.io/images': 'x', 'basekeeper.io/summary': 's' }))).resolves.toBeDefined();
    await expect(agent.request(annotate({ 'basekeeper.io/run-now-done': 'x'.repeat(8000) }))).rejects.toThrow('may have 2048 characters');
    await admin.request({ ...annotate({ 'basekeeper.io/run-now-done': null }), query: {} });
  });

  it('should be told which node it may change', async () => {
    const refusal = await agent.request(annotate({ 'basekeeper.io/summary': 's' }, OTHER)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(KubeApiError);
    expect((refusal as KubeApiError).message).toContain(`Basekeeper's agent on node ${NODE} may not change node ${OTHER}.`);
  });
});

describe('the clean-up job', () => {
  it('should be allowed to remove our annotations from any node, those that people wrote included', async () => {
    const ours = { 'basekeeper.io/mode': null, 'basekeeper.io/result': null };
    for (const name of [NODE, OTHER]) await expect(cleanup.request(annotate(ours, name))).resolves.toBeDefined();
  });

  it.each<[string, () => KubeRequest]>([
    ['write an annotation of ours', () => annotate({ 'basekeeper.io/mode': 'enforce' })],
    ['add an annotation of ours', () => annotate({ 'basekeeper.io/pin': 'file:*' })],
    ['remove an annotation that is not ours', () => annotate({ 'example.com/other': null })],
    ['add an annotation that is not ours', () => annotate({ 'example.com/new': '1' })],
    ['label a node', () => patchNode(OTHER, { metadata: { labels: { a: 'c' } } })],
    ['cordon a node', () => patchNode(OTHER, { spec: { unschedulable: true } })],
    ['taint a node', () => patchNode(OTHER, { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } })],
    ['give a node a name to generate from', () => patchNode(OTHER, { metadata: { generateName: 'x' } })],
    ['keep a node from being deleted', () => patchNode(OTHER, { metadata: { finalizers: ['example.com/a'] } })],
    ['say who owns fields of a node', () => patchNode(OTHER, { metadata: { managedFields: [owner('kubelet', 'f:spec')] } })],
    ['write a node’s status', () => patchNode(OTHER, { status: { phase: 'Terminated' } }, '/status')],
    ['delete a node', () => ({ method: 'DELETE', path: `/api/v1/nodes/${OTHER}`, query: DRY })],
  ])('should not be allowed to %s', async (_title, request) => {
    await expect(cleanup.request(request())).rejects.toThrow(REFUSED);
  });
});

describe('everybody else', () => {
  it.each<[string, () => KubeRequest]>([
    ['change any node', () => patchNode(OTHER, { metadata: { labels: { a: 'c' }, annotations: { 'basekeeper.io/mode': 'enforce' } } })],
    ['report any event', () => createEvent({ reportingController: 'someone' })],
  ])('should be allowed to %s', async (_title, request) => {
    await expect(admin.request(request())).resolves.toBeDefined();
  });
});

// The last: it stores what it writes.
describe('a node that many have written to', () => {
  it('should be written to by agent and clean-up job, though the API server merges its oldest owners', async () => {
    for (let index = 0; index < 14; index++) {
      const query = { fieldManager: `manager-${index}` };
      const labels = { [`label-${index}`]: '1' };
      await admin.request({ ...patchNode(OTHER, { metadata: { labels } }), query });
      await admin.request({ ...patchNode(NODE, { metadata: { labels } }), query });
      const own = { ...annotate({ 'basekeeper.io/summary': String(index) }), query: { fieldManager: 'basekeeper' } };
      await expect(agent.request(own)).resolves.toBeDefined();
    }
    await expect(cleanup.request(annotate({ 'basekeeper.io/mode': null }, OTHER))).resolves.toBeDefined();
  });
});
