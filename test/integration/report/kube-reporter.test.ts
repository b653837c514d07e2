import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { kubeAssetsDirectory } from '../../../scripts/lib/kube-assets.ts';
import { createKubeClient } from '../../../src/kube/client/client.ts';
import { createOwnNode } from '../../../src/kube/own-node.ts';
import type { KubeClient, OwnNode } from '../../../src/kube/types.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Report } from '../../../src/model/report.ts';
import { digestOf } from '../../../src/report/digest.ts';
import { createKubeReporter, type KubeReporter } from '../../../src/report/node/kube-reporter.ts';
import { adminKubeConfig, asAdmin, deleteAsAdmin, installCrds, startKubeServer, type KubeServer } from '../../helpers/kube-server.ts';
import { memoryLogger } from '../../helpers/memory-kube.ts';
import { heldReport, later, missingBackingFile, plannedFile, removableFile, report } from '../../helpers/reports.ts';

const NODE = 'node-1';

let server: KubeServer;
let client: KubeClient;
let node: OwnNode;
let reporter: KubeReporter;
let logger: ReturnType<typeof memoryLogger>;
let uid: string;

const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 45_000, interval: 50 });
const kubectl = (...args: string[]): string =>
  execFileSync(join(kubeAssetsDirectory() ?? '', 'kubectl'), ['--kubeconfig', server.kubeconfigPath, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });

async function createNode(): Promise<string> {
  const created = (await asAdmin(server, 'POST', '/api/v1/nodes', { metadata: { name: NODE } })) as { metadata: { uid: string } };
  return created.metadata.uid;
}

async function publish(of: Report, runNowDone?: string): Promise<void> {
  await reporter.publish(of, digestOf(of), { runNowDone });
  await reporter.idle();
}

/** Requests that changed something below the path, as the API server counted them. */
function writesTo(resource: string): number {
  const lines = kubectl('get', '--raw', '/metrics')
    .split('\n')
    .filter((line) => line.startsWith('apiserver_request_total{') && line.includes(`resource="${resource}"`));
  const writes = lines.filter((line) => /verb="(?:APPLY|PATCH|POST|PUT)"/.test(line));
  return writes.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

beforeAll(async () => {
  server = await startKubeServer();
  await installCrds(server, resolve('test/fixtures/kubevirt/virtualmachineinstances.yaml'));
  await asAdmin(server, 'POST', '/api/v1/namespaces', { metadata: { name: 'tenant' } });
});
afterAll(async () => await server.stop());

beforeEach(async () => {
  uid = await createNode();
  logger = memoryLogger();
  client = createKubeClient({ kubeConfig: () => adminKubeConfig(server), userAgent: 'test' });
  node = createOwnNode({ client, nodeName: NODE, clock: systemClock, random: Math.random });
  reporter = createKubeReporter({ client, node, clock: systemClock, logger, instance: NODE, maxDelaySeconds: 0 });
  node.start();
  await eventually(() => expect(node.current()?.uid).toBe(uid));
});
afterEach(async () => {
  await reporter.close();
  await node.stop();
  client.close();
  await deleteAsAdmin(server, `/api/v1/nodes/${NODE}`);
});

describe('a report on a real API server', () => {
  it('should be seen by kubectl describe node, annotations and events', async () => {
    const files = [plannedFile(), removableFile({ name: 'swap_512', kind: 'swap', outcome: 'removed', allocatedBytes: 2 ** 29 })];
    await publish(report({ files, findings: [missingBackingFile({ object: undefined })] }));
    const shown = kubectl('describe', 'node', NODE);
    expect(shown).toMatch(/basekeeper\.io\/result: Succeeded/);
    expect(shown).toMatch(/basekeeper\.io\/summary: 1 base file, 1\.0 GiB; 1 removed, 512\.0 MiB/);
    expect(shown).toMatch(/Normal +BaseFilesRemoved .*Removed 1 unused base file, 512\.0 MiB: swap_512 \(swap, 512\.0 MiB\)\./);
    expect(shown).toMatch(/Warning +BackingFileMissing .*1 disk without a backing file: .*Restore the base file/);
    expect(logger.lines).toEqual([]);
  });

  it("should be seen at the VM's own object", async () => {
    const pod = { metadata: { name: 'vm-pod', namespace: 'tenant' }, spec: { nodeName: NODE, containers: [{ name: 'vm', image: 'vm' }] } };
    await asAdmin(server, 'POST', '/api/v1/namespaces/tenant/serviceaccounts', { metadata: { name: 'default' } });
    const created = (await asAdmin(server, 'POST', '/api/v1/namespaces/tenant/pods', pod)) as { metadata: { uid: string } };
    const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'tenant', name: 'vm-pod', uid: created.metadata.uid };
    await publish(report({ findings: [missingBackingFile({ type: 'UnmappedWorkload', object, message: 'pod tenant/vm-pod mounts it' })] }));
    expect(kubectl('describe', 'pod', '--namespace', 'tenant', 'vm-pod')).toMatch(
      /Warning +UnmappedWorkload .*pod tenant\/vm-pod mounts it/,
    );
    expect(kubectl('events', '--namespace', 'tenant')).toMatch(/UnmappedWorkload +Pod\/vm-pod/);
    await deleteAsAdmin(server, '/api/v1/namespaces/tenant/pods/vm-pod');
  });

  it('should be seen by kubectl describe vmi', async () => {
    const path = '/apis/kubevirt.io/v1/namespaces/tenant/virtualmachineinstances';
    const type = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance' };
    const created = (await asAdmin(server, 'POST', path, { ...type, metadata: { name: 'vm-1' }, spec: {} })) as {
      metadata: { uid: string };
    };
    const object = { ...type, namespace: 'tenant', name: 'vm-1', uid: created.metadata.uid };
    await publish(report({ findings: [missingBackingFile({ object, message: 'vm-1/disk stands on a file that does not exist' })] }));
    expect(kubectl('describe', 'vmi', '--namespace', 'tenant', 'vm-1')).toMatch(
      /Warning +BackingFileMissing .*vm-1\/disk stands on a file that does not exist.*Restore the base file/,
    );
    await deleteAsAdmin(server, `${path}/vm-1`);
  });

  it('should be written as one request a change, and none when nothing changed', async () => {
    const before = { nodes: writesTo('nodes'), events: writesTo('events') };
    await publish(heldReport());
    const first = { nodes: writesTo('nodes'), events: writesTo('events') };
    expect(first).toEqual({ nodes: before.nodes + 1, events: before.events + 1 });
    for (let pass = 1; pass <= 20; pass++) await publish(heldReport({ takenAt: later(pass * 60) }));
    expect({ nodes: writesTo('nodes'), events: writesTo('events') }).toEqual(first);
  });

  it('should follow the node to its new UID when it is recreated', async () => {
    await publish(heldReport());
    await deleteAsAdmin(server, `/api/v1/nodes/${NODE}`);
    await eventually(() => expect(node.current()).toBeUndefined());
    const newUid = await createNode();
    expect(newUid).not.toBe(uid);
    await eventually(() => expect(kubectl('get', 'node', NODE, '--output', 'json')).toContain('"basekeeper.io/result": "Held"'));
    await publish(heldReport({ takenAt: later(60) }));
    const events = JSON.parse(kubectl('get', 'events.events.k8s.io', '--output', 'json')) as {
      items: { regarding: { uid: string }; reason: string }[];
    };
    expect(events.items.filter(({ regarding }) => regarding.uid === newUid)).toMatchObject([{ reason: 'RemovalHeld' }]);
    expect(kubectl('describe', 'node', NODE)).toMatch(/RemovalHeld/);
  });

  it('should count an event that repeats in its series, as kubectl shows it', async () => {
    const failing = (pass: number): Report => report({ takenAt: later(pass), result: 'Failed', message: `error ${pass}` });
    for (let pass = 0; pass < 4; pass++) await publish(failing(pass));
    const shown = kubectl('describe', 'node', NODE);
    expect(shown).toMatch(/Warning +PassFailed +\S+ \(x2 over \S+\) .*The pass failed: error 0\./);
  });

  it('should answer run-now with its value', async () => {
    await publish(report(), 'at once, please');
    await eventually(() => expect(node.current()?.annotations['basekeeper.io/run-now-done']).toBe('at once, please'));
  });

  it('should outlast an API server that is away for a while', async () => {
    await server.stopApiServer();
    await reporter.publish(heldReport(), digestOf(heldReport()), {});
    await server.startApiServer();
    await eventually(() => expect(kubectl('describe', 'node', NODE)).toMatch(/basekeeper\.io\/result: Held[^]*RemovalHeld/));
  });
});
