import { countOf, humanSeconds, listSome } from '../../lib/text.ts';
import { isWell, type AgentState } from '../agents.ts';
import { SILENT_AFTER_SECONDS, type NodeStatus } from '../node-status.ts';
import { reportOf, type Evidence } from './evidence.ts';
import type { Problem } from './problem.ts';

/** Agents that are missing, do not run, are silent, old or different. */
export function agentProblems(evidence: Evidence): Problem[] {
  const { agents, missingRights } = evidence.surroundings;
  // Who may not list pods knows nothing of agents.
  if (missingRights.includes('list pods')) return [];
  if (agents.length === 0) return [{ kind: 'AgentMissing', nodes: [], message: 'no agent runs in this cluster' }];
  return [...missing(evidence), ...stopped(agents), ...silentProblems(evidence), ...images(evidence)];
}

function missing({ statuses, surroundings: { agents, hypervisors } }: Evidence): Problem[] {
  const served = new Set(agents.map(({ node }) => node));
  const computes = new Set(hypervisors.map(({ node }) => node));
  const without = statuses.filter(({ node }) => !served.has(node));
  const lost = without.filter(({ cache }) => cache !== undefined).map(({ node }) => node);
  const never = without.filter(({ node, cache }) => cache === undefined && computes.has(node)).map(({ node }) => node);
  const remedy = 'check nodeSelector and tolerations of the chart';
  return [
    ...groupOf('AgentMissing', lost, `it has a cache, and no agent runs there any more: ${remedy}`),
    ...groupOf('AgentMissing', never, `nova-compute or libvirt runs there, and no agent does: ${remedy}`),
  ];
}

function stopped(agents: readonly AgentState[]): Problem[] {
  return agents.flatMap(({ node, pod, problem, unready }): Problem[] => {
    if (problem !== undefined) return [{ kind: 'AgentNotRunning', nodes: [node], message: `the agent ${pod} does not run: ${problem}` }];
    return unready === undefined ? [] : [{ kind: 'AgentNotReady', nodes: [node], message: `the agent ${pod} is not ready: ${unready}` }];
  });
}

/** Nodes whose agents' pods run, and that have heard nothing of them for too long. A report that was just taken says otherwise. */
export function silentNodes({
  statuses,
  surroundings,
  nowMs,
  silentAfterSeconds,
}: Omit<Evidence, 'reports' | 'novaConfigs'>): NodeStatus[] {
  const running = new Map(surroundings.agents.filter(isWell).map((agent) => [agent.node, agent]));
  return statuses.filter(({ node, lastPass, cache }) => {
    const agent = running.get(node);
    // One that has just been started may not have had its first pass yet.
    const heard = [lastPass, agent?.readySince].flatMap((at) => (at === undefined ? [] : [Date.parse(at)]));
    return agent !== undefined && !((nowMs - Math.max(...heard)) / 1000 < limitOf(cache, silentAfterSeconds));
  });
}

/** What the caller says, else what the agent says of itself. */
function limitOf(cache: NodeStatus['cache'], silentAfterSeconds: number | undefined): number {
  return silentAfterSeconds ?? cache?.silentAfter ?? SILENT_AFTER_SECONDS;
}

function silentProblems(evidence: Evidence): Problem[] {
  const { reports, nowMs, silentAfterSeconds } = evidence;
  const ago = (at: string): number => (nowMs - Date.parse(at)) / 1000;
  return silentNodes(evidence).flatMap(({ node, lastPass, cache }): Problem[] => {
    const takenAt = reportOf(reports, node)?.takenAt;
    const heard = lastPass === undefined ? 'nothing yet' : `nothing for ${humanSeconds(ago(lastPass))}`;
    const writes = `the node has heard ${heard} of its agent, which runs`;
    if (takenAt !== undefined && ago(takenAt) < limitOf(cache, silentAfterSeconds)) {
      const remedy = 'see its log for what the API server refuses; with config.annotations: false, this is meant';
      return [{ kind: 'AgentSilent', nodes: [node], message: `${writes} and makes passes: ${remedy}` }];
    }
    return [{ kind: 'AgentSilent', nodes: [node], message: `${writes}: see its log (--silent-after, where passes are meant to be rarer)` }];
  });
}

function images({ surroundings: { agents }, version }: Evidence): Problem[] {
  const byImage = Map.groupBy(agents, ({ image }) => image);
  const list = [...byImage].map(([image, some]) => `${countOf(some.length, 'node')} with ${image}`);
  const [newest = version] = [version, ...agents.flatMap(({ image }) => versionOf(image) ?? [])].toSorted((left, right) =>
    compare(right, left),
  );
  const old = agents.filter(({ image }) => compare(versionOf(image) ?? newest, newest) < 0).map(({ node }) => node);
  const differ = `agents run different images: ${listSome(list, 5)}; finish the rollout`;
  const whose = compare(newest, version) === 0 ? 'this plugin' : 'other agents';
  return [
    ...(byImage.size < 2 ? [] : [{ kind: 'AgentsDiffer', nodes: [], message: differ } as const]),
    ...groupOf('AgentOld', old, `its agent is older than ${whose} (${newest}): upgrade the chart`),
  ];
}

/** Of a tag such as `0.2.0` or `v0.2.0`; undefined for any other, and for an image that its digest alone names. */
function versionOf(image: string): string | undefined {
  return /:v?(\d+\.\d+\.\d+)(?:[-+@].*)?$/.exec(image)?.[1];
}

/** As versions: 0.10.0 is newer than 0.9.0. */
function compare(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

function groupOf(kind: Problem['kind'], nodes: readonly string[], message: string): Problem[] {
  return nodes.length === 0 ? [] : [{ kind, nodes, message }];
}
