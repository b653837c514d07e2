import { asArray, asObject, asText, at, field } from '../../lib/json.ts';

/** A pod that may hold a node. */
export interface KnownPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** `DaemonSet node-exporter`; the pod itself where nothing owns it. */
  readonly owner: string;
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
