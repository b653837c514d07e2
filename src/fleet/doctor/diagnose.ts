import { messageOf } from '../../lib/errors.ts';
import { GATE_REASONS } from '../../model/reasons.ts';
import { isWell } from '../agents.ts';
import { agentProblems, silentNodes } from './agent-problems.ts';
import type { Evidence } from './evidence.ts';
import { novaProblems } from './nova/problems.ts';
import { podProblems } from './pod-problems.ts';
import { policyProblems } from './policies.ts';
import type { Diagnosis, Problem } from './problem.ts';
import { rightProblems } from './rights.ts';

/** Everything that is wrong with the fleet, what holds nodes first. Pure. */
export function diagnose(evidence: Evidence): Diagnosis {
  const { missingRights, admission, agents } = evidence.surroundings;
  const nova = novaProblems(evidence);
  const problems = [
    ...podProblems(evidence),
    ...otherReasons(evidence),
    ...passes(evidence),
    ...agentProblems(evidence),
    ...nova.problems,
    ...policyProblems(admission, agents),
    ...limitedSources(evidence),
    ...rightProblems(missingRights),
  ];
  return { problems, unknown: nova.unknown };
}

/**
 * The nodes whose agents are asked for their reports: those that are held or silent, and of agents that are alike one that speaks for
 * them, where VMs of libvirt run if possible. None without the right to ask.
 */
export function nodesToAsk(evidence: Omit<Evidence, 'reports' | 'novaConfigs'>): readonly string[] {
  const { statuses, surroundings } = evidence;
  const { agents, hypervisors, missingRights } = surroundings;
  if (missingRights.some((right) => right.endsWith('pods/portforward') || right === 'list pods')) return [];
  const asked = new Set(statuses.filter(({ held }) => held.length > 0).map(({ node }) => node));
  for (const { node } of silentNodes(evidence)) asked.add(node);
  const computes = new Set(hypervisors.map(({ node }) => node));
  const known = new Set(statuses.map(({ node }) => node));
  for (const [, alike] of Map.groupBy(agents, ({ owner }) => owner)) {
    const well = alike.filter((agent) => isWell(agent) && known.has(agent.node));
    const speaker = well.find(({ node }) => computes.has(node)) ?? well[0];
    if (speaker !== undefined && !alike.some(({ node }) => asked.has(node))) asked.add(speaker.node);
  }
  return [...asked];
}

/** Reasons of the gate that no pod explains, each with its nodes. */
function otherReasons({ statuses, reports }: Evidence): Problem[] {
  const nodesOf = new Map<string, { readonly nodes: string[]; readonly message: string }>();
  for (const { node, held } of statuses) {
    const report = reports.get(node);
    if (report instanceof Error) continue;
    for (const reason of held) {
      const others = report?.findings.filter(({ type }) => type !== 'UnmappedWorkload') ?? [];
      const explained =
        reason === 'WorkloadIncomplete' && report !== undefined && others.every(({ type }) => type !== 'IncompleteWorkload');
      if (explained) continue;
      const detail = report?.gate.reasons.find((closure) => closure.reason === reason)?.message ?? GATE_REASONS[reason];
      const entry = nodesOf.get(reason) ?? { nodes: [], message: `${reason}: ${detail}` };
      nodesOf.set(reason, entry);
      entry.nodes.push(node);
    }
  }
  return [...nodesOf.values()].map(({ nodes, message }): Problem => ({ kind: 'GateClosed', nodes, message }));
}

function passes({ statuses, reports }: Evidence): Problem[] {
  const failed = statuses
    .filter(({ result }) => result === 'Failed')
    .map(({ node, summary = '' }): Problem => ({ kind: 'PassFailed', nodes: [node], message: `its last pass failed: ${summary}` }));
  const held = new Set(statuses.filter((status) => status.held.length > 0).map(({ node }) => node));
  const unanswered = [...reports].flatMap(([node, report]): Problem[] => {
    if (!(report instanceof Error)) return [];
    const why = held.has(node) ? 'it is held, and its agent' : 'its agent';
    return [{ kind: 'ReportMissing', nodes: [node], message: `${why} cannot be asked: ${messageOf(report)}` }];
  });
  return [...failed, ...unanswered];
}

/** What agents may not read, as their reports say. */
function limitedSources({ reports }: Evidence): Problem[] {
  const limits = [...reports].flatMap(([node, report]) =>
    report instanceof Error ? [] : report.findings.filter(({ type }) => type === 'SourceLimited').map(({ message }) => ({ node, message })),
  );
  return [...Map.groupBy(limits, ({ message }) => message)].map(([message, some]): Problem => {
    return { kind: 'RightMissing', nodes: some.map(({ node }) => node), message: `the agent: ${message}` };
  });
}
