import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/until.ts';
import { createKubeClient } from '../../src/kube/client/client.ts';
import type { KubeClient, KubeRequest } from '../../src/kube/types.ts';
import { render, type Manifest } from './helm.ts';
import { adminKubeConfig, asAdmin, startKubeServer, tokenKubeConfig, type KubeServer } from './kube-server.ts';

const NAMESPACE = 'basekeeper';
export const NODE = 'node-a';
export const OTHER = 'node-b';
const COLLECTIONS: Readonly<Record<string, string>> = {
  ServiceAccount: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`,
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
};
export const REFUSED = /ValidatingAdmissionPolicy 'basekeeper-(nodes|events|cleanup)'/;
export const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const DRY = { dryRun: 'All' };
const MERGE = 'application/merge-patch+json';

/** A real API server with the chart's policies in force, and clients of those whom they are about. */
export interface PolicyServer {
  readonly server: KubeServer;
  /** With the token of an agent's pod on `NODE`. */
  readonly agent: KubeClient;
  /** With a token of the same service account that names no pod. */
  readonly podless: KubeClient;
  /** With a token of the clean-up job's service account. */
  readonly cleanup: KubeClient;
  readonly admin: KubeClient;
  stop(): Promise<void>;
}

export async function startPolicyServer(): Promise<PolicyServer> {
  const server = await startKubeServer();
  const directory = await mkdtemp(join(tmpdir(), 'basekeeper-policy-'));
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await addNodes(server);
  await install(server);
  const place = { server, directory };
  const pod = {
    metadata: { name: 'agent' },
    spec: { serviceAccountName: 'basekeeper', nodeName: NODE, containers: [{ name: 'a', image: 'a' }] },
  };
  const { metadata } = (await asAdmin(server, 'POST', `/api/v1/namespaces/${NAMESPACE}/pods`, pod)) as { metadata: { uid: string } };
  const agent = await clientWithToken(place, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'agent', uid: metadata.uid } });
  const podless = await clientWithToken(place, {});
  const cleanup = await clientWithToken(place, {}, 'basekeeper-cleanup');
  const admin = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test', observe: undefined });
  await untilInForce(agent, cleanup);
  return {
    server,
    agent,
    podless,
    cleanup,
    admin,
    async stop() {
      for (const client of [agent, podless, admin, cleanup]) client.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function addNodes(server: KubeServer): Promise<void> {
  for (const name of [NODE, OTHER]) {
    const annotations = { 'example.com/other': '1', 'basekeeper.io/mode': 'dry-run', 'basekeeper.io/result': 'Held' };
    await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name, labels: { a: 'b' }, annotations } });
  }
}

async function install(server: KubeServer): Promise<void> {
  // More than the chart grants, so that what is refused is refused by the policy.
  const more = { apiGroups: ['', 'events.k8s.io'], resources: ['nodes', 'nodes/status', 'events'], verbs: ['*'] };
  const manifests: readonly Manifest[] = await render({ rbac: { extraRules: [more] } });
  for (const manifest of manifests) {
    const collection = COLLECTIONS[manifest.kind];
    if (collection !== undefined) await asAdmin(server, 'POST', collection, manifest);
  }
  await asAdmin(server, 'POST', COLLECTIONS['ClusterRoleBinding'] ?? '', {
    metadata: { name: 'cleanup-may-more' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'basekeeper' },
    subjects: [{ kind: 'ServiceAccount', name: 'basekeeper-cleanup', namespace: NAMESPACE }],
  });
}

/** A policy acts a second or two after its creation. */
async function untilInForce(agent: KubeClient, cleanup: KubeClient): Promise<void> {
  await until('all policies to act', 30_000, async () => {
    const answers = await Promise.allSettled([
      cleanup.request(patchNode(NODE, { spec: { unschedulable: true } })),
      agent.request(patchNode(OTHER, {})),
      agent.request(createEvent({ reportingController: 'x' })),
    ]);
    return answers.every(({ status }) => status === 'rejected') ? true : undefined;
  });
}

async function clientWithToken(
  { server, directory }: { readonly server: KubeServer; readonly directory: string },
  spec: object,
  account = 'basekeeper',
): Promise<KubeClient> {
  const answer = await asAdmin(server, 'POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`, { spec });
  const file = join(directory, `token-${account}-${Object.keys(spec).length}`);
  await writeFile(file, (answer as { status: { token: string } }).status.token);
  return createKubeClient({ kubeConfig: () => tokenKubeConfig(server, file), userAgent: 'basekeeper/test', observe: undefined });
}

/** A dry run: it is judged, and not stored. */
export function patchNode(name: string, body: object, subresource = ''): KubeRequest {
  return { method: 'PATCH', path: `/api/v1/nodes/${name}${subresource}`, query: DRY, body, contentType: MERGE };
}

export const annotate = (annotations: Record<string, string | null>, name = NODE) => patchNode(name, { metadata: { annotations } });

export function event(name: string, changes: object): object {
  return {
    metadata: { name, namespace: 'default' },
    eventTime: '2026-11-23T14:00:00.000000Z',
    reportingController: 'basekeeper.io/agent',
    reportingInstance: NODE,
    action: 'RemoveBaseFiles',
    reason: 'BaseFilesRemoved',
    type: 'Normal',
    regarding: { apiVersion: 'v1', kind: 'Node', name: NODE },
    ...changes,
  };
}

export const createEvent = (changes: object): KubeRequest => ({ method: 'POST', path: EVENTS, query: DRY, body: event('new', changes) });

export function patchEvent(name: string, body: object): KubeRequest {
  return { method: 'PATCH', path: `${EVENTS}/${name}`, query: DRY, body, contentType: MERGE };
}

export const series = { series: { count: 2, lastObservedTime: '2026-11-23T14:00:01.000000Z' } };
