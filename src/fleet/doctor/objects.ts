import { asArray, asObject, asText, at, field } from '../../lib/json.ts';

/** A pod that may hold a node. */
export interface KnownPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** `DaemonSet node-exporter`; the pod itself where nothing owns it. */
  readonly owner: string;
}

/** An agent's pod. */
export interface AgentState {
  readonly pod: string;
  readonly node: string;
  readonly image: string;
  /** Why it does not run, as far as its status says. */
  readonly problem: string | undefined;
}

export interface Surroundings {
  /** By `namespace/name`. */
  readonly pods: ReadonlyMap<string, KnownPod>;
  readonly agents: readonly AgentState[];
  /** Admission policies that confine the agents. */
  readonly policies: number;
}

/** A pod, or only its metadata; undefined for what has no name. */
export function podOf(object: unknown): KnownPod | undefined {
  const [namespace, name] = [asText(at(object, 'metadata', 'namespace')), asText(at(object, 'metadata', 'name'))];
  if (namespace === undefined || name === undefined) return undefined;
  const labels = Object.entries(asObject(at(object, 'metadata', 'labels')) ?? {}).map(([key, value]) => [key, String(value)] as const);
  const owners = asArray(at(object, 'metadata', 'ownerReferences')) ?? [];
  const owner = owners.find((entry) => field(entry, 'controller') === true) ?? owners[0];
  return { namespace, name, labels: new Map(labels), owner: ownerName(owner, name) };
}

/** A ReplicaSet is named after its Deployment. */
function ownerName(owner: unknown, pod: string): string {
  const [kind, name] = [asText(field(owner, 'kind')), asText(field(owner, 'name'))];
  if (kind === undefined || name === undefined) return `Pod ${pod}`;
  const deployment = kind === 'ReplicaSet' ? /^(.+)-[a-z0-9]{8,10}$/.exec(name)?.[1] : undefined;
  return deployment === undefined ? `${kind} ${name}` : `Deployment ${deployment}`;
}

/** An agent's pod, unless it is being deleted. */
export function agentOf(object: unknown): AgentState | undefined {
  const name = asText(at(object, 'metadata', 'name'));
  if (name === undefined || at(object, 'metadata', 'deletionTimestamp') !== undefined) return undefined;
  const [container] = asArray(at(object, 'spec', 'containers')) ?? [];
  return {
    pod: `${asText(at(object, 'metadata', 'namespace'))}/${name}`,
    node: asText(at(object, 'spec', 'nodeName')) ?? '',
    image: asText(field(container, 'image')) ?? '',
    problem: problemOf(object),
  };
}

function problemOf(object: unknown): string | undefined {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((key) => asArray(at(object, 'status', key)) ?? []);
  for (const status of statuses) {
    const waiting = at(status, 'state', 'waiting');
    const reason = asText(field(waiting, 'reason'));
    // An agent waits for its init container, which says why.
    if (reason !== undefined && reason !== 'PodInitializing') return [reason, asText(field(waiting, 'message'))].filter(Boolean).join(': ');
  }
  const phase = asText(at(object, 'status', 'phase')) ?? 'Unknown';
  return phase === 'Running' ? undefined : `its phase is ${phase}`;
}
