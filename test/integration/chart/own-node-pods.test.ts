import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import type { KubeClient } from '../../../src/kube/types.ts';
import { render } from '../../helpers/helm.ts';
import { asAdmin, startKubeServer, tokenKubeConfig, type KubeServer } from '../../helpers/kube-server.ts';

const NAMESPACE = '/api/v1/namespaces/basekeeper';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** Nobody listens there. */
const NOBODY = { clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:9' } }], users: [{ name: 'x', user: {} }] };

/** An authorizer that cannot be asked is an error of the server; what was asked for is not given. */
const REFUSED = { status: 500 };

const started: { readonly server: KubeServer; readonly client: KubeClient }[] = [];
const directory = mkdtempSync(join(tmpdir(), 'basekeeper-own-node-'));
let byRbac: KubeClient;
let byExample: KubeClient;

beforeAll(async () => {
  byRbac = await agentOn({});
  const kubeconfig = join(directory, 'nobody.kubeconfig');
  const contexts = { contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }], 'current-context': 'x' };
  writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...NOBODY, ...contexts }));
  const example = readFileSync('examples/authorization.yaml', 'utf8');
  const path = join(directory, 'authorization.yaml');
  writeFileSync(path, example.replace('/etc/kubernetes/basekeeper-nobody.kubeconfig', kubeconfig));
  byExample = await agentOn({ 'authorization-mode': null, 'authorization-config': path });
});

afterAll(async () => {
  for (const { client } of started) client.close();
  await Promise.all(started.map(async ({ server }) => await server.stop()));
  rmSync(directory, { recursive: true });
});

/** A client with the token of an agent's pod on node-a, and the rights that the chart gives. */
async function agentOn(apiServerFlags: Readonly<Record<string, string | null>>): Promise<KubeClient> {
  const server = await startKubeServer({ apiServerFlags });
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'basekeeper' } });
  await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: 'node-a' } });
  const paths: Readonly<Record<string, string>> = {
    ServiceAccount: `${NAMESPACE}/serviceaccounts`,
    ClusterRole: `${RBAC}/clusterroles`,
    ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
  };
  for (const manifest of await render({})) {
    const path = paths[manifest.kind];
    if (path !== undefined) await asAdmin(server, 'POST', path, manifest);
  }
  const pod = {
    metadata: { name: 'agent' },
    spec: { serviceAccountName: 'basekeeper', nodeName: 'node-a', containers: [{ name: 'a', image: 'a' }] },
  };
  const { metadata } = (await asAdmin(server, 'POST', `${NAMESPACE}/pods`, pod)) as { metadata: { uid: string } };
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'agent', uid: metadata.uid };
  const answer = await asAdmin(server, 'POST', `${NAMESPACE}/serviceaccounts/basekeeper/token`, { spec: { boundObjectRef } });
  const file = join(directory, `token-${started.length}`);
  writeFileSync(file, (answer as { status: { token: string } }).status.token);
  const client = createKubeClient({ kubeConfig: () => tokenKubeConfig(server, file), userAgent: 'test', observe: undefined });
  started.push({ server, client });
  return client;
}

const list = async (client: KubeClient, fieldSelector?: string, path = '/api/v1/pods') =>
  await client.request({ method: 'GET', path, query: fieldSelector === undefined ? {} : { fieldSelector } });

describe('the token of an agent', () => {
  it('should read the pods of all nodes by RBAC alone, which cannot say less', async () => {
    await expect(list(byRbac)).resolves.toMatchObject({ kind: 'PodList' });
    await expect(list(byRbac, 'spec.nodeName=node-b')).resolves.toMatchObject({ kind: 'PodList' });
  });

  it('should read the pods of its own node only, by the selector that the agent sends, where the API server is told so', async () => {
    await expect(list(byExample, 'spec.nodeName=node-a')).resolves.toMatchObject({ kind: 'PodList' });
  });

  it.each([undefined, 'spec.nodeName=node-b', 'spec.nodeName!=node-a', 'status.phase=Running'])(
    'should be refused the pods by the selector %s then',
    async (selector) => {
      await expect(list(byExample, selector)).rejects.toMatchObject(REFUSED);
      await expect(list(byExample, selector, `${NAMESPACE}/pods`)).rejects.toMatchObject(REFUSED);
    },
  );

  it('should keep its other rights then', async () => {
    await expect(list(byExample, 'metadata.name=node-a', '/api/v1/nodes')).resolves.toMatchObject({ kind: 'NodeList' });
  });
});
