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

/** The agents' pods, of one node or of all. Where a pod's status has no reason, its last warning does. */
export async function listAgents(options: Asked, labelSelector: string, node?: string): Promise<readonly AgentState[]> {
  const { client, signal } = options;
  const query = { labelSelector, ...(node === undefined ? {} : { fieldSelector: `spec.nodeName=${node}` }) };
  const request = { path: '/api/v1/pods', query, accept: undefined, pageSize: PAGE_SIZE, resourceVersion: undefined, signal };
  const { items } = await listObjects(client, request, agentOf);
  let lookups = 0;
  return await pLimit(CONCURRENCY).map(items.values(), async (agent) => {
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
    const { items } = await listObjects(
      client,
      { path, query, accept: undefined, pageSize: PAGE_SIZE, resourceVersion: undefined, signal },
      warningOf,
    );
    return lastWarning(items.values());
  } catch {
    return undefined;
  }
}
