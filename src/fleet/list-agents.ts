import pLimit from 'p-limit';
import { listObjects } from '../kube/watch/list.ts';
import { shorten } from '../lib/text.ts';
import type { KubeClient } from '../kube/types.ts';
import { agentOf, lastWarning, warningOf, type AgentState } from './agents.ts';

const PAGE_SIZE = 500;
const CONCURRENCY = 8;
/** Pods whose events are looked up; they wait for the same more often than not. */
const MAX_LOOKUPS = 20;
const MAX_CHARACTERS = 300;

interface Asked {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/** What `read` makes of the agents' pods, of one node or of all; without those that it returns undefined for. */
export async function listAgentPods<T>(
  { client, signal }: Asked,
  { labelSelector, node }: { readonly labelSelector: string; readonly node: string | undefined },
  read: (pod: unknown) => T | undefined,
): Promise<readonly T[]> {
  const query = { labelSelector, ...(node === undefined ? {} : { fieldSelector: `spec.nodeName=${node}` }) };
  return await listAll(client, '/api/v1/pods', query, signal, read);
}

/** The agents' pods, of one node or of all. Where a pod's status has no reason, its last warning does. */
export async function listAgents(options: Asked, labelSelector: string, node?: string): Promise<readonly AgentState[]> {
  const agents = await listAgentPods(options, { labelSelector, node }, agentOf);
  let lookups = 0;
  return await pLimit(CONCURRENCY).map(agents, async (agent) => {
    if (!agent.waits || lookups++ >= MAX_LOOKUPS) return agent;
    const warning = await warningAbout(options, agent.pod);
    return warning === undefined ? agent : { ...agent, problem: shorten(warning, MAX_CHARACTERS), waits: false };
  });
}

/** Who may not read events learns less; nothing else depends on them. */
async function warningAbout({ client, signal }: Asked, pod: string): Promise<string | undefined> {
  const [namespace = '', name = ''] = pod.split('/');
  const query = { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${name},type=Warning` };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  try {
    return lastWarning(await listAll(client, path, query, signal, warningOf));
  } catch {
    return undefined;
  }
}

async function listAll<T>(
  client: KubeClient,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
  read: (object: unknown) => T | undefined,
): Promise<readonly T[]> {
  const request = { path, query, accept: undefined, pageSize: PAGE_SIZE, resourceVersion: undefined, signal };
  return [...(await listObjects(client, request, read)).items.values()];
}
