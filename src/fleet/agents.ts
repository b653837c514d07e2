import { asArray, asText, at, field } from '../lib/json.ts';
import { podOf } from './doctor/objects.ts';
import type { NodeStatus } from './node-status.ts';

/** An agent's pod. */
export interface AgentState {
  /** `namespace/name`. */
  readonly pod: string;
  readonly node: string;
  readonly image: string;
  /** What made it, such as `DaemonSet basekeeper`: agents of one owner are configured alike. */
  readonly owner: string;
  /** As whom it asks the API server. */
  readonly user: string;
  /** Why it does not run, as far as its status says. */
  readonly problem: string | undefined;
  /** It waits without a reason in its status: an event may have one. */
  readonly waits: boolean;
  /** Why it is not ready, where it runs. */
  readonly unready: string | undefined;
  /** RFC 3339. */
  readonly readySince: string | undefined;
}

/** Whether it runs and is ready. */
export function isWell({ problem, unready }: AgentState): boolean {
  return problem === undefined && unready === undefined;
}

/** What a pod that is about to run waits with. */
const STARTING: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating']);

/** An agent's pod, unless it is being deleted. */
export function agentOf(object: unknown): AgentState | undefined {
  const name = asText(at(object, 'metadata', 'name'));
  if (name === undefined || at(object, 'metadata', 'deletionTimestamp') !== undefined) return undefined;
  const [container] = asArray(at(object, 'spec', 'containers')) ?? [];
  const problem = waitingReason(object);
  const namespace = asText(at(object, 'metadata', 'namespace')) ?? '';
  const account = asText(at(object, 'spec', 'serviceAccountName')) ?? 'default';
  const ready = readiness(object);
  const phase = asText(at(object, 'status', 'phase')) ?? 'Unknown';
  return {
    pod: `${namespace}/${name}`,
    node: nodeOf(object) ?? '',
    image: asText(field(container, 'image')) ?? '',
    owner: podOf(object)?.owner ?? '',
    user: `system:serviceaccount:${namespace}:${account}`,
    problem: problem ?? (phase === 'Running' ? undefined : `its phase is ${phase}`),
    waits: problem === undefined && phase === 'Pending',
    unready: ready?.isReady === false ? ready.why : undefined,
    readySince: ready?.isReady === true ? ready.since : undefined,
  };
}

/** What its condition `Ready` says, with how its container ended last; undefined without that condition. */
function readiness(object: unknown): { readonly isReady: boolean; readonly why: string; readonly since: string | undefined } | undefined {
  const condition = (asArray(at(object, 'status', 'conditions')) ?? []).find((entry) => field(entry, 'type') === 'Ready');
  if (condition === undefined) return undefined;
  const ended = (asArray(at(object, 'status', 'containerStatuses')) ?? []).flatMap((status) => {
    const reason = asText(at(status, 'lastState', 'terminated', 'reason'));
    return reason === undefined ? [] : [`it ended before: ${reason}`];
  });
  const message = asText(field(condition, 'message')) ?? 'its status does not say why';
  return {
    isReady: field(condition, 'status') === 'True',
    why: [message, ...ended].join('; '),
    since: asText(field(condition, 'lastTransitionTime')),
  };
}

/** A DaemonSet's pod that no scheduler has placed yet names its node in its affinity. */
function nodeOf(object: unknown): string | undefined {
  const bound = asText(at(object, 'spec', 'nodeName'));
  if (bound !== undefined) return bound;
  const affinity = ['spec', 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'];
  const [term] = asArray(at(object, ...affinity)) ?? [];
  const [byName] = asArray(field(term, 'matchFields')) ?? [];
  return asText((asArray(field(byName, 'values')) ?? [])[0]);
}

function waitingReason(object: unknown): string | undefined {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((key) => asArray(at(object, 'status', key)) ?? []);
  for (const status of statuses) {
    const waiting = at(status, 'state', 'waiting');
    const reason = asText(field(waiting, 'reason'));
    if (reason !== undefined && !STARTING.has(reason)) return [reason, asText(field(waiting, 'message'))].filter(Boolean).join(': ');
  }
  return undefined;
}

/** Of a pod's warnings: what the last of them says, such as `FailedMount: ...`. */
export function lastWarning(events: Iterable<PodWarning>): string | undefined {
  return [...events].toSorted((left, right) => left.at.localeCompare(right.at)).at(-1)?.text;
}

export interface PodWarning {
  readonly at: string;
  readonly text: string;
}

export function warningOf(event: unknown): PodWarning | undefined {
  const reason = asText(field(event, 'reason'));
  if (reason === undefined) return undefined;
  const seen =
    asText(field(event, 'lastTimestamp')) ?? asText(field(event, 'eventTime')) ?? asText(at(event, 'metadata', 'creationTimestamp'));
  return { at: seen ?? '', text: [reason, asText(field(event, 'message'))].filter(Boolean).join(': ') };
}

/** The statuses, each with why its agent does not run. */
export function withAgents(statuses: readonly NodeStatus[], agents: readonly AgentState[]): readonly NodeStatus[] {
  const byNode = Map.groupBy(agents, ({ node }) => node);
  return statuses.map((status) => {
    const problem = agentProblem(byNode.get(status.node) ?? []);
    return problem === undefined ? status : { ...status, agentProblem: problem };
  });
}

/** Undefined where one of them runs, or there is none. */
export function agentProblem(agents: readonly AgentState[]): string | undefined {
  return agents.some(({ problem }) => problem === undefined) ? undefined : agents[0]?.problem;
}
