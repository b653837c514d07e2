import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../scripts/lib/until.ts';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import { KubeApiError } from '../../../src/kube/errors.ts';
import type { KubeClient, KubeRequest } from '../../../src/kube/types.ts';
import { render, type Manifest } from '../../helpers/helm.ts';
import { adminKubeConfig, asAdmin, startKubeServer, tokenKubeConfig, type KubeServer } from '../../helpers/kube-server.ts';

const NAMESPACE = 'basekeeper';
const NODE = 'node-a';
const OTHER = 'node-b';
const COLLECTIONS: Readonly<Record<string, string>> = {
  ServiceAccount: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`,
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
};
const REFUSED = /ValidatingAdmissionPolicy 'basekeeper-(nodes|events|cleanup)'/;

let server: KubeServer;
let directory: string;
/** With the token of an agent's pod on `NODE`. */
let agent: KubeClient;
let admin: KubeClient;
/** With a token of the clean-up job's service account. */
let cleanup: KubeClient;
/** With a token of the same service account that names no pod. */
let podless: KubeClient;

beforeAll(async () => {
  server = await startKubeServer();
  directory = await mkdtemp(join(tmpdir(), 'basekeeper-policy-'));
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  for (const name of [NODE, OTHER]) {
    const metadata = {
      name,
      labels: { a: 'b' },
      annotations: { 'example.com/other': '1', 'basekeeper.io/mode': 'dry-run', 'basekeeper.io/old': '1' },
    };
    await asAdmin(server, 'POST', '/api/v1/nodes', { metadata });
  }
  // More than the chart grants, so that what is refused is refused by the policy.
  const more = { apiGroups: ['', 'events.k8s.io'], resources: ['nodes', 'nodes/status', 'events'], verbs: ['*'] };
  await install(await render({ rbac: { extraRules: [more] } }));
  await asAdmin(server, 'POST', COLLECTIONS['ClusterRoleBinding'] ?? '', {
    metadata: { name: 'cleanup-may-more' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'basekeeper' },
    subjects: [{ kind: 'ServiceAccount', name: 'basekeeper-cleanup', namespace: NAMESPACE }],
  });
  const pod = {
    metadata: { name: 'agent' },
    spec: { serviceAccountName: 'basekeeper', nodeName: NODE, containers: [{ name: 'a', image: 'a' }] },
  };
  const { metadata } = (await asAdmin(server, 'POST', `/api/v1/namespaces/${NAMESPACE}/pods`, pod)) as { metadata: { uid: string } };
  agent = await clientWithToken({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'agent', uid: metadata.uid } });
  podless = await clientWithToken({});
  cleanup = await clientWithToken({}, 'basekeeper-cleanup');
  admin = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test', observe: undefined });
  await asAdmin(server, 'POST', EVENTS, event('kubelets', { reportingController: 'kubelet' }));
  await asAdmin(server, 'POST', EVENTS, event('ours', {}));
  await asAdmin(server, 'POST', EVENTS, event('of-another-agent', { reportingInstance: OTHER }));
  // A policy acts a second or two after its creation.
  await until('all policies to act', 30_000, async () => {
    const answers = await Promise.allSettled([
      cleanup.request(patchNode(NODE, { spec: { unschedulable: true } })),
      agent.request(patchNode(OTHER, {})),
      agent.request(createEvent({ reportingController: 'x' })),
    ]);
    return answers.every(({ status }) => status === 'rejected') ? true : undefined;
  });
});

afterAll(async () => {
  for (const client of [agent, podless, admin, cleanup]) client.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function install(manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    const collection = COLLECTIONS[manifest.kind];
    if (collection !== undefined) await asAdmin(server, 'POST', collection, manifest);
  }
}

async function clientWithToken(spec: object, account = 'basekeeper'): Promise<KubeClient> {
  const answer = await asAdmin(server, 'POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`, { spec });
  const file = join(directory, `token-${account}-${Object.keys(spec).length}`);
  await writeFile(file, (answer as { status: { token: string } }).status.token);
  return createKubeClient({ kubeConfig: () => tokenKubeConfig(server, file), userAgent: 'test', observe: undefined });
}

const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const DRY = { dryRun: 'All' };

function patchNode(name: string, body: object, subresource = ''): KubeRequest {
  return { method: 'PATCH', path: `/api/v1/nodes/${name}${subresource}`, query: DRY, body, contentType: 'application/merge-patch+json' };
}

const annotate = (annotations: Record<string, string | null>, name = NODE) => patchNode(name, { metadata: { annotations } });

function event(name: string, changes: object): object {
  return {
    metadata: { name, namespace: 'default' },
    eventTime: '2026-11-23T14:00:00.000000Z',
    reportingController: 'basekeeper.io/agent',
    reportingInstance: NODE,
    action: 'Remove',
    reason: 'BaseFilesRemoved',
    type: 'Normal',
    regarding: { apiVersion: 'v1', kind: 'Node', name: NODE },
    ...changes,
  };
}

const createEvent = (changes: object): KubeRequest => ({ method: 'POST', path: EVENTS, query: DRY, body: event('new', changes) });

function patchEvent(name: string, body: object): KubeRequest {
  return { method: 'PATCH', path: `${EVENTS}/${name}`, query: DRY, body, contentType: 'application/merge-patch+json' };
}

const series = { series: { count: 2, lastObservedTime: '2026-11-23T14:00:01.000000Z' } };

describe('an agent', () => {
  it.each<[string, () => KubeRequest]>([
    ['write its own node’s annotations', () => annotate({ 'basekeeper.io/summary': 's', 'basekeeper.io/run-now-done': '1' })],
    ['change and remove them', () => annotate({ 'basekeeper.io/old': null })],
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

  it('should be told which node it may change', async () => {
    const refusal = await agent.request(annotate({ 'basekeeper.io/summary': 's' }, OTHER)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(KubeApiError);
    expect((refusal as KubeApiError).message).toContain(`Basekeeper's agent on node ${NODE} may not change node ${OTHER}.`);
  });
});

describe('the clean-up job', () => {
  it('should be allowed to remove our annotations from any node, those that people wrote included', async () => {
    const ours = { 'basekeeper.io/mode': null, 'basekeeper.io/old': null };
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
