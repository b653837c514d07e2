/** A fleet in memory, for `kubectl basekeeper doctor`: what the API server and the agents say. */
import { runKubectl } from '../../src/cli/kubectl/run.ts';
import { createFleet } from '../../src/fleet/fleet.ts';
import type { KubeRequest, PodReader } from '../../src/kube/types.ts';
import { asArray, asText, at } from '../../src/lib/json.ts';
import type { Finding } from '../../src/model/plan.ts';
import type { Report } from '../../src/model/report.ts';
import { digestOf } from '../../src/report/digest.ts';
import { annotationPatch } from '../../src/report/node/annotations.ts';
import { recordingIo } from './command-line.ts';
import { apiError, memoryKube } from './memory-kube.ts';
import { heldReport, TAKEN_AT } from './reports.ts';

export interface DoctorWorld {
  /** Of each node: what its agent reports, and what its annotations say. */
  readonly reports: Readonly<Record<string, Report>>;
  /** Nodes on which no agent has written. */
  readonly blank?: readonly string[];
  readonly mode?: string;
  readonly pods?: readonly object[];
  /** Default: one for each node, all well. */
  readonly agents?: readonly object[];
  readonly policies?: readonly object[];
  readonly bindings?: readonly object[];
  /** Paths and the objects there. */
  readonly objects?: Readonly<Record<string, object>>;
  /** Rights that the caller does not have, such as `list pods`. */
  readonly forbidden?: readonly string[];
  /** Nodes whose agents do not answer. */
  readonly mute?: readonly string[];
  readonly hoursLater?: number;
  /** From one pass to the next, as the agents know it. */
  readonly intervalSeconds?: number;
  /** What agents answer where it is newer than what they wrote. */
  readonly answers?: Readonly<Record<string, Report>>;
}

interface PodParts {
  readonly namespace?: string;
  readonly labels: object;
  readonly owner?: object;
  readonly node?: string;
  readonly volumes?: readonly object[];
  /** Of its container; its name is nova-compute, whatever it runs. */
  readonly container?: object;
}

export function podOn({ namespace = 'monitoring', labels, owner, node, volumes = [], container = {} }: PodParts, name: string): object {
  return {
    metadata: { namespace, name, uid: name, labels, ...(owner === undefined ? {} : { ownerReferences: [owner] }) },
    spec: { ...(node === undefined ? {} : { nodeName: node }), containers: [{ name: 'nova-compute', ...container }], volumes },
    status: { phase: 'Running' },
  };
}

interface AgentParts {
  readonly image?: string;
  readonly waiting?: object;
  readonly owner?: string;
  readonly account?: string;
  readonly ready?: object;
  readonly ended?: string;
}

export function agentOn(
  node: string,
  { image = 'basekeeper:1', waiting, owner = 'basekeeper', account = 'basekeeper', ready, ended }: AgentParts = {},
): object {
  const ownerReferences = [{ kind: 'DaemonSet', name: owner, controller: true }];
  const conditions = ready === undefined ? [] : [{ type: 'Ready', ...ready }];
  const lastState = ended === undefined ? {} : { terminated: { reason: ended } };
  return {
    metadata: { namespace: 'basekeeper', name: `agent-${node}`, uid: `agent-${node}`, ownerReferences },
    spec: { nodeName: node, serviceAccountName: account, containers: [{ image, ports: [{ name: 'http', containerPort: 9817 }] }] },
    status:
      waiting === undefined
        ? { phase: 'Running', conditions, containerStatuses: [{ state: { running: {} }, lastState }] }
        : { phase: 'Pending', containerStatuses: [{ state: { waiting } }] },
  };
}

/** As the chart makes it, for the service account `basekeeper`. */
export function policyFor(resource: string, spec: object = {}, status: object = {}): object {
  const matchConstraints = { resourceRules: [{ resources: [resource] }] };
  const matchConditions = [{ expression: "request.userInfo.username == 'system:serviceaccount:basekeeper:basekeeper'" }];
  return { metadata: { name: `basekeeper-${resource}`, uid: resource }, spec: { matchConstraints, matchConditions, ...spec }, status };
}

export function bindingFor(resource: string, validationActions: readonly string[] = ['Deny']): object {
  return { metadata: { name: `basekeeper-${resource}`, uid: resource }, spec: { policyName: `basekeeper-${resource}`, validationActions } };
}

/** A pass that pods of these names hold. */
export function heldBy(...names: readonly string[]): Report {
  const findings = names.map((name): Finding => ({
    type: 'UnmappedWorkload',
    object: { apiVersion: 'v1', kind: 'Pod', namespace: 'monitoring', name, uid: name },
    message: `Pod monitoring/${name}: it mounts "/"`,
  }));
  return heldReport({ gate: { open: false, reasons: [{ reason: 'WorkloadIncomplete', message: 'a pod' }] }, findings });
}

function listed(items: readonly object[]): object {
  return { metadata: { resourceVersion: '1' }, items };
}

function answer(world: DoctorWorld, { path, query, body }: KubeRequest): object | undefined {
  const { reports, pods = [], forbidden = [], objects = {} } = world;
  if (path.endsWith('selfsubjectaccessreviews')) {
    const part = (key: string): string => asText(at(body, 'spec', 'resourceAttributes', key)) ?? '';
    const right = `${part('verb')} ${[part('resource'), part('subresource')].filter(Boolean).join('/')}`;
    return { status: { allowed: !forbidden.includes(right) } };
  }
  if (path.endsWith('validatingadmissionpolicies')) return listed(world.policies ?? ['nodes', 'events'].map((name) => policyFor(name)));
  if (path.endsWith('policybindings')) return listed(world.bindings ?? ['nodes', 'events'].map((name) => bindingFor(name)));
  if (objects[path] !== undefined) return objects[path];
  if (path !== '/api/v1/pods') return undefined;
  const [labels, node] = [query?.['labelSelector'], query?.['fieldSelector']?.replace('spec.nodeName=', '')];
  if (node !== undefined) return listed([agentOn(node)]);
  if (labels === undefined) return listed(pods);
  return listed(world.agents ?? Object.keys(reports).map((name) => agentOn(name)));
}

/** Runs the command there. */
export async function doctor(world: DoctorWorld, argv: readonly string[] = []) {
  const kube = memoryKube();
  for (const [node, of] of Object.entries(world.reports)) {
    const { intervalSeconds } = world;
    const input = { report: of, digest: digestOf(of), written: undefined, heartbeatSeconds: 3600, intervalSeconds };
    const annotations = annotationPatch(input) ?? {};
    const mode: Record<string, string> = world.mode === undefined ? {} : { 'basekeeper.io/mode': world.mode };
    kube.putNode(node, node, { ...annotations, ...mode });
  }
  for (const node of world.blank ?? []) kube.putNode(node, node);
  const asked: string[] = [];
  const request = kube.request.bind(kube);
  kube.request = async (wanted) => {
    asked.push(wanted.path);
    const [parent, last] = wanted.path.split('/').slice(-2);
    const refused = (world.forbidden ?? []).some((right) => right === `get ${parent}` || right === `list ${last}`);
    if (refused) throw apiError(403);
    return answer(world, wanted) ?? request(wanted);
  };
  const { io, stdout, stderr } = recordingIo({});
  const readPod: PodReader = async ({ name }) => {
    const node = name.replace('agent-', '');
    asked.push(`report ${node}`);
    await Promise.resolve();
    if (world.mute?.includes(node)) throw apiError(500);
    return world.answers?.[node] ?? world.reports[node];
  };
  const connect = async () => createFleet({ client: kube, readPod, signal: io.signal });
  const wallMs = Date.parse(TAKEN_AT) + (world.hoursLater ?? 0) * 3_600_000;
  const time = { clock: { now: () => ({ wallMs, monotonicMs: 0 }) }, sleep: async () => Promise.resolve() };
  const code = await runKubectl(['doctor', ...argv], { env: { NO_COLOR: '1' }, io, connect, time });
  return { code, stdout: stdout.text(), stderr: stderr.text(), asked };
}

/** The kinds of what it found, as JSON. */
export async function diagnosis(world: DoctorWorld, argv: readonly string[] = []) {
  const { stdout } = await doctor(world, [...argv, '-o', 'json']);
  const parsed = JSON.parse(stdout) as {
    problems: { kind: string; nodes: string[]; message: string; values?: object }[];
    unknown: string[];
  };
  return { ...parsed, kinds: (asArray(parsed.problems) ?? []).map((problem) => String(at(problem, 'kind'))) };
}
