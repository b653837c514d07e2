import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/report/digest.ts';
import { annotationPatch } from '../../src/report/node/annotations.ts';
import { addAgentPod, ownAddress } from '../helpers/agent-pod.ts';
import { heldBy } from '../helpers/doctor-world.ts';
import { render } from '../helpers/helm.ts';
import { asAdmin, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import type { KubeletTwin } from '../helpers/kubelet-twin.ts';
import { startReportServer, type ReportServer } from '../helpers/report-server.ts';
import { someoneWith } from '../helpers/service-account.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const PATHS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: `${ADMISSION}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: `${ADMISSION}/validatingadmissionpolicybindings`,
};
const BINDING = `${PATHS['ValidatingAdmissionPolicyBinding']}/basekeeper-nodes`;

let server: KubeServer;
let agent: ReportServer;
let kubelet: KubeletTwin;

/** The plugin as it is built, with this kubeconfig. */
async function doctor(kubeconfig = server.kubeconfigPath, ...args: readonly string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    const argv = ['dist/kubectl-basekeeper.js', 'doctor', '--kubeconfig', kubeconfig, ...args];
    execFile(process.execPath, argv, { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function kinds(...args: readonly string[]): Promise<readonly string[]> {
  const { problems } = JSON.parse((await doctor(server.kubeconfigPath, '-o', 'json', ...args)).stdout) as { problems: { kind: string }[] };
  return problems.map(({ kind }) => kind);
}

async function create(namespace: string, resource: 'pods' | 'configmaps' | 'serviceaccounts', object: object): Promise<void> {
  await asAdmin(server, 'POST', `/api/v1/namespaces/${namespace}/${resource}`, object);
}

async function changeBinding(change: (spec: { validationActions: string[] }) => void): Promise<void> {
  const binding = (await asAdmin(server, 'GET', BINDING)) as { spec: { validationActions: string[] } };
  change(binding.spec);
  await asAdmin(server, 'PUT', BINDING, binding);
}

beforeAll(async () => {
  server = await startKubeServer();
  agent = await startReportServer();
  const held = heldBy('exporter');
  agent.show({ ...held, node: 'node-1', takenAt: new Date().toISOString() });
  const report = { ...held, takenAt: new Date().toISOString() };
  const annotations = annotationPatch({ report, digest: digestOf(report), written: undefined, heartbeatSeconds: 3600 });
  await asAdmin(server, 'POST', '/api/v1/nodes', {
    metadata: { name: 'node-1', annotations: { ...annotations, 'basekeeper.io/mode': 'enforce' } },
  });
  await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: 'node-2' } });
  kubelet = await addAgentPod(server, ownAddress(), agent.port);
  for (const name of ['monitoring', 'openstack']) {
    await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name } });
    await create(name, 'serviceaccounts', { metadata: { name: 'default' } });
  }
  const container = { name: 'nova-compute', image: 'none' };
  await create('monitoring', 'pods', {
    metadata: { name: 'exporter', labels: { app: 'exporter' } },
    spec: { nodeName: 'node-1', containers: [container] },
  });
  await create('openstack', 'configmaps', { metadata: { name: 'nova-etc' }, data: { 'nova.conf': '[DEFAULT]\ndebug = false\n' } });
  for (const node of ['node-1', 'node-2']) {
    await create('openstack', 'pods', {
      metadata: { name: `nova-${node}`, labels: { application: 'nova', component: 'compute' } },
      spec: { nodeName: node, containers: [container], volumes: [{ name: 'etc', configMap: { name: 'nova-etc' } }] },
    });
  }
  for (const manifest of await render({ serviceAccount: { create: false, name: 'default' }, cleanup: { enabled: false } })) {
    const path = PATHS[manifest.kind];
    if (path !== undefined) await asAdmin(server, 'POST', path, manifest);
  }
});
afterAll(async () => {
  await agent?.close();
  await kubelet?.stop();
  await server?.stop();
});

describe('kubectl basekeeper doctor on a real API server', () => {
  it('should say what is wrong, with the policies of the chart in force', async () => {
    const { code, stdout, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^PodHolds \(1 node: node-1\): Pod exporter in namespace monitoring can reach the instances path/m);
    expect(stdout).toMatch(/^SourceOff \(1 node: node-1\): Pod nova-node-1 in namespace openstack runs libvirt's VMs/m);
    expect(stdout).toMatch(/^AgentMissing \(1 node: node-2\): nova-compute or libvirt runs there, and no agent does/m);
    expect(stdout).toMatch(/^NovaCleans \(1 node: node-1\): Pod nova-node-1 in namespace openstack removes base files itself/m);
    expect(stdout).toContain('matchLabels:\n          app: exporter\n');
    expect(await kinds()).toEqual(['PodHolds', 'SourceOff', 'AgentMissing', 'NovaCleans']);
  });

  it('should see that Nova’s cleaner is off', async () => {
    const path = '/api/v1/namespaces/openstack/configmaps/nova-etc';
    const map = (await asAdmin(server, 'GET', path)) as { data: Record<string, string> };
    map.data['nova.conf'] = '[image_cache]\nremove_unused_base_images = False\n';
    await asAdmin(server, 'PUT', path, map);
    expect(await kinds()).toEqual(['PodHolds', 'SourceOff', 'AgentMissing']);
  });

  it('should see that a policy is not in force', async () => {
    await changeBinding((spec) => (spec.validationActions = ['Audit']));
    expect((await doctor()).stdout).toMatch(/^PolicyNotInForce: .*basekeeper-nodes .*validationActions: Audit/m);
    await asAdmin(server, 'DELETE', BINDING);
    expect((await doctor()).stdout).toMatch(/^PolicyNotInForce: .*basekeeper-nodes is not in force: no binding names it/m);
    await asAdmin(server, 'DELETE', `${PATHS['ValidatingAdmissionPolicy']}/basekeeper-nodes`);
    expect((await doctor()).stdout).toMatch(/^PolicyMissing: no admission policy confines what agents do to nodes$/m);
  });

  it('should name the rights that the caller does not have, and look at the rest', async () => {
    const nodes = { apiGroups: [''], resources: ['nodes'], verbs: ['list'] };
    const poor = await doctor(await someoneWith(server, 'poor', [nodes]));
    expect(poor.code).toBe(1);
    const missing = [...poor.stdout.matchAll(/^RightMissing: you may not ([^:]+):/gm)].map(([, right]) => right);
    expect(missing).toEqual([
      'list pods',
      'create pods/portforward',
      'get pods/portforward',
      'list validatingadmissionpolicies',
      'list validatingadmissionpolicybindings',
    ]);
    expect(poor.stdout).toMatch(/^GateClosed \(1 node: node-1\): WorkloadIncomplete/m);
    expect(poor.stdout).toMatch(/^Unknown: whether Nova's own cleaner is on at node-1, as pods cannot be listed/m);
  });

  it('should end with 2 where it may not even list nodes', async () => {
    const { code, stderr } = await doctor(await someoneWith(server, 'nobody', []));
    expect(code).toBe(2);
    expect(stderr).toContain('it takes the right to list nodes');
  });
});
