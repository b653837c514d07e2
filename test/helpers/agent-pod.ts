import { networkInterfaces } from 'node:os';
import { asAdmin, type KubeAccess } from './kube-server.ts';
import { startKubeletTwin, type KubeletTwin } from './kubelet-twin.ts';

/** An address of this machine that the API server takes for a node's: it refuses 127.0.0.1. What is sent there never leaves the machine. */
export function ownAddress(): string {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = found.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  if (address === undefined) throw new Error('this machine has no IPv4 address but loopback: a port-forward cannot be tried');
  return address;
}

/**
 * What the API server knows of an agent's pod on `node-1`, whose pages are on this port of the pod's loopback. Returns the twin of
 * the kubelet that forwards to it.
 */
export async function addAgentPod(server: KubeAccess, address: string, pagesPort: number): Promise<KubeletTwin> {
  const kubelet = await startKubeletTwin(address);
  const node = (await asAdmin(server, 'GET', '/api/v1/nodes/node-1')) as { status: object };
  node.status = { addresses: [{ type: 'InternalIP', address }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } };
  await asAdmin(server, 'PUT', '/api/v1/nodes/node-1/status', node);
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'basekeeper' } });
  await asAdmin(server, 'POST', '/api/v1/namespaces/basekeeper/serviceaccounts', { metadata: { name: 'default' } });
  const labels = { 'app.kubernetes.io/name': 'basekeeper', 'app.kubernetes.io/component': 'agent' };
  const container = { name: 'agent', image: 'basekeeper', ports: [{ name: 'pages', containerPort: pagesPort }] };
  const pod = { metadata: { name: 'agent-1', labels }, spec: { nodeName: 'node-1', containers: [container] } };
  const created = (await asAdmin(server, 'POST', '/api/v1/namespaces/basekeeper/pods', pod)) as object;
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] };
  await asAdmin(server, 'PUT', '/api/v1/namespaces/basekeeper/pods/agent-1/status', { ...created, status });
  return kubelet;
}
