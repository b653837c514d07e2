import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runKubectl } from '../../../src/cli/kubectl/run.ts';
import { createFleet } from '../../../src/fleet/fleet.ts';
import type { Finding } from '../../../src/model/plan.ts';
import type { PodReader } from '../../../src/kube/types.ts';
import type { Report } from '../../../src/model/report.ts';
import { digestOf } from '../../../src/report/digest.ts';
import { annotationPatch } from '../../../src/report/node/annotations.ts';
import { recordingIo } from '../../helpers/command-line.ts';
import { apiError, memoryKube } from '../../helpers/memory-kube.ts';
import { heldReport, removableFile, report } from '../../helpers/reports.ts';

interface World {
  readonly reports: Readonly<Record<string, Report>>;
  readonly pods?: readonly object[];
  readonly agents?: readonly object[];
  readonly bindings?: number;
  readonly forbidden?: string;
}

const FINE = report({ files: [removableFile()], result: 'DryRun' });

function podMetadata(name: string, labels: object, owner?: object): object {
  return { metadata: { namespace: 'monitoring', name, uid: name, labels, ...(owner === undefined ? {} : { ownerReferences: [owner] }) } };
}

function agentPod(node: string, parts: { readonly image?: string; readonly waiting?: object } = {}): object {
  return {
    metadata: { namespace: 'basekeeper', name: `agent-${node}`, uid: `agent-${node}` },
    spec: { nodeName: node, containers: [{ image: parts.image ?? 'basekeeper:1', ports: [{ name: 'http', containerPort: 9817 }] }] },
    status:
      parts.waiting === undefined ? { phase: 'Running' } : { phase: 'Pending', containerStatuses: [{ state: { waiting: parts.waiting } }] },
  };
}

/** A pass that pods of these names hold. */
function heldBy(...names: readonly string[]): Report {
  const findings = names.map((name): Finding => ({
    type: 'UnmappedWorkload',
    object: { apiVersion: 'v1', kind: 'Pod', namespace: 'monitoring', name, uid: name },
    message: `Pod monitoring/${name}: it mounts "/"`,
  }));
  return heldReport({ gate: { open: false, reasons: [{ reason: 'WorkloadIncomplete', message: 'a pod' }] }, findings });
}

async function doctor(world: World, argv: readonly string[] = []) {
  const kube = memoryKube();
  for (const [node, of] of Object.entries(world.reports)) {
    kube.putNode(node, node, annotationPatch({ report: of, digest: digestOf(of), written: undefined, heartbeatSeconds: 3600 }) ?? {});
  }
  const list = (items: readonly object[]): object => ({ metadata: { resourceVersion: '1' }, items });
  const agents = world.agents ?? Object.keys(world.reports).map((node) => agentPod(node));
  const request = kube.request.bind(kube);
  kube.request = async (asked) => {
    if (world.forbidden !== undefined && asked.path.includes(world.forbidden)) throw apiError(403);
    if (asked.path.endsWith('bindings'))
      return list(Array.from({ length: world.bindings ?? 1 }, (_, uid) => ({ metadata: { uid: `${uid}` } })));
    if (asked.path !== '/api/v1/pods') return await request(asked);
    const wanted = asked.query?.['fieldSelector']?.replace('spec.nodeName=', '');
    if (wanted !== undefined) return list([agentPod(wanted)]);
    return list(asked.query?.['labelSelector'] === undefined ? (world.pods ?? []) : agents);
  };
  const { io, stdout, stderr } = recordingIo({});
  const readPod: PodReader = ({ name }) => Promise.resolve(world.reports[name.replace('agent-', '')]);
  const connect = async () => createFleet({ client: kube, readPod, signal: io.signal });
  const code = await runKubectl(['doctor', ...argv], { env: { NO_COLOR: '1' }, io, connect });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

describe('kubectl basekeeper doctor', () => {
  it('should find nothing on a fleet that is well, and say so', async () => {
    expect(await doctor({ reports: { 'node-1': FINE } })).toEqual({ code: 0, stdout: 'Nothing is wrong.\n', stderr: '' });
    const { stdout } = await doctor({ reports: { 'node-1': FINE } }, ['-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({ apiVersion: 'basekeeper.io/v1', kind: 'Diagnosis', problems: [], values: {} });
  });

  it('should group pods by their owner, and print the values that exempt them', async () => {
    const owner = { kind: 'DaemonSet', name: 'backup', controller: true };
    const labels = { app: 'backup', 'controller-revision-hash': 'x' };
    const pods = [podMetadata('backup-a', labels, owner), podMetadata('backup-b', labels, owner)];
    const world = { reports: { 'node-1': heldBy('backup-a'), 'node-2': heldBy('backup-b'), 'node-3': FINE }, pods };
    const { code, stdout } = await doctor(world);
    expect(code).toBe(1);
    const [line, empty, advice, ...yaml] = stdout.split('\n');
    expect([line, empty, advice]).toEqual([
      expect.stringMatching(/^PodHolds \(2 nodes: node-1, node-2\): DaemonSet backup in namespace monitoring can reach .* exempt it$/),
      '',
      expect.stringMatching(/^# Values of the chart/),
    ]);
    expect(parse(yaml.join('\n'))).toEqual({
      config: { exemptPods: [{ namespace: 'monitoring', selector: { matchLabels: { app: 'backup' } } }] },
    });
    const { problems } = JSON.parse((await doctor(world, ['-o', 'json'])).stdout) as { problems: object[] };
    expect(problems).toMatchObject([{ kind: 'PodHolds', nodes: ['node-1', 'node-2'], values: { config: { exemptPods: [{}] } } }]);
  });

  it('should print one document for all that holds, which can be pasted as it is', async () => {
    const names = ['a', 'b', 'libvirt'];
    const pods = [podMetadata('a', { app: 'a' }), podMetadata('b', { app: 'b' }), podMetadata('libvirt', { application: 'libvirt' })];
    const { stdout } = await doctor({ reports: { 'node-1': heldBy(...names) }, pods, bindings: 0 });
    const exempt = (app: string): object => ({ namespace: 'monitoring', selector: { matchLabels: { app } } });
    expect(parse(stdout.slice(stdout.indexOf('\n# ')))).toEqual({
      config: { exemptPods: [exempt('a'), exempt('b')], sources: { libvirt: { enabled: true } } },
      admissionPolicy: { enabled: true },
    });
  });

  it.each([
    [{ application: 'libvirt' }, { config: { sources: { libvirt: { enabled: true } } } }],
    [{ application: 'nova', component: 'conductor' }, { config: { exemptPods: [expect.anything()] } }],
    [{}, undefined],
  ])('should know what fixes a pod with the labels %j', async (labels, values) => {
    const { stdout } = await doctor({ reports: { 'node-1': heldBy('p') }, pods: [podMetadata('p', labels)] }, ['-o', 'json']);
    expect((JSON.parse(stdout) as { problems: { values?: object }[] }).problems.map((problem) => problem.values)).toEqual([values]);
  });

  it('should name a Deployment, not its ReplicaSet', async () => {
    const owner = { kind: 'ReplicaSet', name: 'scanner-7f9c6d5b8d', controller: true };
    const { stdout } = await doctor({ reports: { 'node-1': heldBy('p') }, pods: [podMetadata('p', { app: 'scanner' }, owner)] });
    expect(stdout).toContain('Deployment scanner in namespace');
  });

  it.each([
    [
      'another reason of the gate',
      { reports: { 'node-1': heldReport() } },
      'GateClosed (1 node: node-1): SourceNotSynced: source pods is syncing',
    ],
    [
      'a node that lost its agent',
      { reports: { 'node-1': FINE, 'node-2': FINE }, agents: [agentPod('node-1')] },
      'AgentMissing (1 node: node-2)',
    ],
    [
      'an agent whose image cannot be pulled',
      { reports: { 'node-1': FINE }, agents: [agentPod('node-1', { waiting: { reason: 'ImagePullBackOff', message: 'not found' } })] },
      'the agent basekeeper/agent-node-1 does not run: ImagePullBackOff: not found',
    ],
    [
      'two versions of the agent',
      { reports: { a: FINE, b: FINE }, agents: [agentPod('a'), agentPod('b', { image: 'basekeeper:2' })] },
      'AgentsDiffer: agents run different images: 1 node with basekeeper:1, 1 node with basekeeper:2',
    ],
    ['no policy', { reports: { 'node-1': FINE }, bindings: 0 }, '\nadmissionPolicy:\n  enabled: true\n'],
  ])('should tell of %s', async (_what, world: World, line) => {
    const { code, stdout } = await doctor(world);
    expect(code).toBe(1);
    expect(stdout).toContain(line);
  });

  it.each([
    ['/api/v1/pods', 'it takes the right to list pods'],
    ['bindings', 'it takes the right to list validatingadmissionpolicybindings'],
  ])('should name the right that is missing: %s', async (forbidden, message) => {
    const { code, stderr } = await doctor({ reports: { 'node-1': FINE }, forbidden });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
