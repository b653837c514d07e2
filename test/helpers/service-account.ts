import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asAdmin, type KubeAccess } from './kube-server.ts';

/** Makes a service account of the namespace `basekeeper` with these rights everywhere; returns a kubeconfig with its token. */
export async function someoneWith(server: KubeAccess, name: string, rules: readonly object[]): Promise<string> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await asAdmin(server, 'POST', '/api/v1/namespaces/basekeeper/serviceaccounts', { metadata: { name } });
  await asAdmin(server, 'POST', `${rbac}/clusterroles`, { metadata: { name }, rules });
  const subjects = [{ kind: 'ServiceAccount', name, namespace: 'basekeeper' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  await asAdmin(server, 'POST', `${rbac}/clusterrolebindings`, { metadata: { name }, subjects, roleRef });
  const token = await tokenOf(server, name);
  const path = join(dirname(server.kubeconfigPath), `${name}.kubeconfig`);
  const cluster = { server: server.rest.server, 'certificate-authority-data': Buffer.from(server.rest.caPem).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** A token of a service account of the namespace `basekeeper`. */
export async function tokenOf(server: KubeAccess, name: string): Promise<string> {
  const path = `/api/v1/namespaces/basekeeper/serviceaccounts/${name}/token`;
  const { status } = (await asAdmin(server, 'POST', path, { spec: {} })) as { status: { token: string } };
  return status.token;
}
