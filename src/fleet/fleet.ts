import { KubeApiError } from '../kube/errors.ts';
import type { KubeClient, PodReader } from '../kube/types.ts';
import { asArray, asNumber, asText, at } from '../lib/json.ts';
import type { Surroundings } from './doctor/evidence.ts';
import type { NovaConfig } from './doctor/nova/config.ts';
import { readNovaConfigs } from './doctor/nova/read-config.ts';
import { surroundingsOf } from './doctor/surroundings.ts';
import type { AgentState } from './agents.ts';
import { listAgentPods, listAgents } from './list-agents.ts';
import { placesOf, statusesOf } from './list-nodes.ts';
import { METADATA_ONLY } from './metadata-only.ts';
import { watchStatuses, type WatchedNodes } from './watch.ts';
import { nodeStatusOf, type NodeStatus } from './node-status.ts';
import type { NodePlace } from './where/node-place.ts';
import type { WhereSubject } from './where/subject.ts';

const REPORT_TIMEOUT_MS = 60_000;
/** The labels that the chart gives to agents. */
export const AGENT_SELECTOR = 'app.kubernetes.io/name=basekeeper,app.kubernetes.io/component=agent';

/** All agents of a cluster, seen from outside: through their nodes' annotations, and through a port-forward to their pods. */
export interface Fleet {
  /** One paginated list, whatever the number of nodes; in the API server's order. `selector`: labels of the nodes. */
  statuses(selector: string | undefined): Promise<readonly NodeStatus[]>;
  status(node: string): Promise<NodeStatus>;
  /** What the nodes' annotations say of an image: the same one list. */
  places(selector: string | undefined, subject: WhereSubject): Promise<readonly NodePlace[]>;
  /** All of these nodes, then each that changes; until the process is asked to end. */
  watch(nodes: WatchedNodes, onChanged: (statuses: readonly NodeStatus[]) => Promise<void>): Promise<void>;
  /** Writes annotations; null removes one. */
  annotate(node: string, annotations: Readonly<Record<string, string | null>>): Promise<void>;
  /** What the agent on the node answers to `/report`, untrusted, and its pod. */
  report(node: string, agentSelector: string): Promise<{ readonly pod: AgentPod; readonly report: unknown }>;
  /** What the agent on the node answers to `/history`, untrusted. `query`: of the URL. */
  history(node: string, agentSelector: string, query: URLSearchParams): Promise<unknown>;
  /** The agents' pods, of this node or of all of them; with why each does not run. */
  agents(agentSelector: string, node?: string): Promise<readonly AgentState[]>;
  /** What `doctor` looks at beside the nodes: one list a kind. */
  surroundings(agentSelector: string): Promise<Surroundings>;
  /** What pods of nova-compute mount as configuration; Secrets only where that is wanted. */
  novaConfigs(surroundings: Surroundings, secrets: boolean): Promise<readonly NovaConfig[]>;
  close(): void;
}

export interface FleetOptions {
  readonly client: KubeClient;
  readonly readPod: PodReader;
  readonly signal: AbortSignal;
}

type ApiOptions = Pick<FleetOptions, 'client' | 'signal'>;

/** Every call throws an error for people: what could not be done, why, and which right is missing if that is the reason. */
export function createFleet({ client, readPod, signal }: FleetOptions): Fleet {
  const agents: Fleet['agents'] = (agentSelector, node) =>
    asking('list the agents’ pods', 'list pods', () => listAgents({ client, signal }, agentSelector, node));
  return {
    agents,
    statuses: (selector) => asking('list nodes', 'list nodes', () => statusesOf({ client, signal }, selector)),
    places: (selector, subject) => asking('list nodes', 'list nodes', () => placesOf({ client, signal }, selector, subject)),
    status: (node) =>
      asking(`read node ${node}`, 'get nodes', async () => {
        const found = nodeStatusOf(await client.request({ method: 'GET', path: pathOf(node), accept: METADATA_ONLY.object, signal }));
        if (found === undefined) throw new Error('the API server answers with something that is not a node');
        return found;
      }),
    watch: (nodes, onChanged) => asking('watch nodes', 'list and watch nodes', () => watchStatuses({ client, signal }, nodes, onChanged)),
    annotate: (node, annotations) =>
      asking(`annotate node ${node}`, 'patch nodes', async () => {
        await client.request({
          method: 'PATCH',
          path: pathOf(node),
          body: { metadata: { annotations } },
          contentType: 'application/merge-patch+json',
          accept: METADATA_ONLY.object,
          signal,
        });
      }),
    ...answersOf({ client, readPod, signal }),
    surroundings: (agentSelector) =>
      asking('look at the cluster', 'create selfsubjectaccessreviews', () =>
        surroundingsOf({ client, signal }, () => agents(agentSelector)),
      ),
    novaConfigs: ({ hypervisors }, secrets) => readNovaConfigs(hypervisors, { client, signal, secrets }),
    close: () => client.close(),
  };
}

/** What agents are asked themselves. */
function answersOf({ client, readPod, signal }: FleetOptions): Pick<Fleet, 'report' | 'history'> {
  const ask = async (node: string, agentSelector: string, path: string): Promise<{ pod: AgentPod; answer: unknown }> => {
    const pod = await asking('list the agents’ pods', 'list pods', () => agentPodOf({ client, signal }, node, agentSelector));
    const where = `reach the agent ${pod.namespace}/${pod.name} on node ${node} by a port-forward`;
    const request = { ...pod, path, timeoutMs: REPORT_TIMEOUT_MS, signal };
    return { pod, answer: await asking(where, 'get and create pods/portforward', () => readPod(request)) };
  };
  return {
    report: async (node, agentSelector) => {
      const { pod, answer } = await ask(node, agentSelector, '/report');
      return { pod, report: answer };
    },
    history: async (node, agentSelector, query) => {
      try {
        return (await ask(node, agentSelector, `/history?${query.toString()}`)).answer;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        throw new Error(`the agent on node ${node} has no history: ${WITHOUT_HISTORY}`, { cause: error });
      }
    },
  };
}

const WITHOUT_HISTORY = 'its version is older, or ledger.enabled or http.report is false';

function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof KubeApiError && error.cause.status === 404;
}

function pathOf(node: string): string {
  return `/api/v1/nodes/${encodeURIComponent(node)}`;
}

interface AgentPod {
  /** Both as they stand in a path. */
  readonly namespace: string;
  readonly name: string;
  /** Where it serves its report, on its loopback. */
  readonly port: number;
}

async function agentPodOf(options: ApiOptions, node: string, labelSelector: string): Promise<AgentPod> {
  const [pod] = await listAgentPods(options, { labelSelector, node }, livingPod);
  if (pod === undefined)
    throw new Error(`no agent runs on node ${node}: it has no pod with the labels ${labelSelector} and a port named pages`);
  return pod;
}

function livingPod(object: unknown): AgentPod | undefined {
  const [namespace, name] = [asText(at(object, 'metadata', 'namespace')), asText(at(object, 'metadata', 'name'))];
  const port = pagesPortOf(object);
  if (port === undefined || namespace === undefined || name === undefined || at(object, 'metadata', 'deletionTimestamp') !== undefined)
    return undefined;
  return { namespace: encodeURIComponent(namespace), name: encodeURIComponent(name), port };
}

/** The port named `pages`; an agent of version 0.1 serves everything on the one named `http`. */
function pagesPortOf(pod: unknown): number | undefined {
  const ports = (asArray(at(pod, 'spec', 'containers')) ?? []).flatMap((container) => asArray(at(container, 'ports')) ?? []);
  const named = (name: string) => ports.find((port) => at(port, 'name') === name);
  return asNumber(at(named('pages') ?? named('http'), 'containerPort'));
}

async function asking<T>(what: string, right: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof KubeApiError)) throw error;
    const hint = error.status === 403 ? `; it takes the right to ${right}` : '';
    throw new Error(`cannot ${what}${hint}`, { cause: error });
  }
}
