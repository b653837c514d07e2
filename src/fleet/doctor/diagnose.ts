import { lastingLabels } from '../../lib/exemption.ts';
import { countOf, listSome } from '../../lib/text.ts';
import type { Report } from '../../model/report.ts';
import { GATE_REASONS } from '../../model/reasons.ts';
import type { NodeStatus } from '../node-status.ts';
import type { KnownPod, Surroundings } from './objects.ts';

/** Something that keeps Basekeeper from working as it could, with what is done about it. */
export interface Problem {
  readonly kind:
    | 'PodHolds'
    | 'GateClosed'
    | 'PassFailed'
    | 'AgentMissing'
    | 'AgentNotRunning'
    | 'AgentsDiffer'
    | 'PolicyMissing'
    | 'ReportMissing';
  readonly nodes: readonly string[];
  readonly message: string;
  /** YAML for the chart's values, where that is the remedy. */
  readonly values?: object | undefined;
}

export interface Evidence {
  readonly statuses: readonly NodeStatus[];
  readonly surroundings: Surroundings;
  /** Of the nodes that are held: the last report, or why there is none. */
  readonly reports: ReadonlyMap<string, Report | Error>;
}

/** Everything that is wrong with the fleet, what holds nodes first. Pure. */
export function diagnose(evidence: Evidence): readonly Problem[] {
  return [...podsThatHold(evidence), ...otherReasons(evidence), ...passes(evidence), ...agents(evidence), ...policy(evidence.surroundings)];
}

interface Holder {
  readonly pod: KnownPod;
  readonly nodes: Set<string>;
  readonly asksLibvirt: boolean;
}

function podsThatHold({ reports, surroundings }: Evidence): Problem[] {
  const holders = new Map<string, Holder>();
  for (const [node, report] of reports) {
    if (report instanceof Error) continue;
    const asksLibvirt = report.sources.some(({ name }) => name === 'libvirt');
    for (const { type, object } of report.findings) {
      const pod = surroundings.pods.get(`${object?.namespace}/${object?.name}`);
      if (type !== 'UnmappedWorkload' || object?.kind !== 'Pod' || pod === undefined) continue;
      const key = `${pod.namespace} ${pod.owner}`;
      const holder = holders.get(key) ?? { pod, nodes: new Set(), asksLibvirt };
      holders.set(key, holder);
      holder.nodes.add(node);
    }
  }
  return [...holders.values()].map(holdingProblem);
}

function holdingProblem({ pod, nodes, asksLibvirt }: Holder): Problem {
  const who = `${pod.owner} in namespace ${pod.namespace}`;
  const about = { kind: 'PodHolds', nodes: [...nodes] } as const;
  if (isHypervisor(pod) && !asksLibvirt) {
    const message = `${who} runs libvirt's VMs, and the agent does not ask libvirt: switch its source on`;
    return { ...about, message, values: { config: { sources: { libvirt: { enabled: true } } } } };
  }
  const matchLabels = lastingLabels(pod.labels);
  const message = `${who} can reach the instances path, and nothing says which images it uses`;
  if (Object.keys(matchLabels).length === 0) {
    const annotate = `kubectl annotate pod --namespace ${pod.namespace} ${pod.name} 'basekeeper.io/image-ref='`;
    return { ...about, message: `${message}. If it runs no VM: ${annotate}` };
  }
  const exempt = { namespace: pod.namespace, selector: { matchLabels } };
  return { ...about, message: `${message}. If it runs no VM, exempt it`, values: { config: { exemptPods: [exempt] } } };
}

/** As OpenStack-Helm labels them. */
function isHypervisor({ labels }: KnownPod): boolean {
  const [application, component] = [labels.get('application'), labels.get('component')];
  return application === 'libvirt' || ((application === 'nova' || application === 'ceilometer') && component === 'compute');
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
  const silent = [...reports].flatMap(([node, report]): Problem[] =>
    report instanceof Error
      ? [{ kind: 'ReportMissing', nodes: [node], message: `it is held, and its agent cannot be asked: ${report.message}` }]
      : [],
  );
  return [...failed, ...silent];
}

function agents({ statuses, surroundings }: Evidence): Problem[] {
  const nodes = new Set(surroundings.agents.map(({ node }) => node));
  const missing = statuses.filter(({ node, cache }) => cache !== undefined && !nodes.has(node)).map(({ node }) => node);
  const stopped = surroundings.agents.flatMap(({ node, pod, problem }): Problem[] =>
    problem === undefined ? [] : [{ kind: 'AgentNotRunning', nodes: [node], message: `the agent ${pod} does not run: ${problem}` }],
  );
  const images = Map.groupBy(surroundings.agents, ({ image }) => image);
  const list = [...images].map(([image, some]) => `${countOf(some.length, 'node')} with ${image}`);
  return [
    ...(missing.length === 0
      ? []
      : [{ kind: 'AgentMissing', nodes: missing, message: 'it has a cache, and no agent runs there any more' } as const]),
    ...stopped,
    ...(images.size < 2
      ? []
      : [{ kind: 'AgentsDiffer', nodes: [], message: `agents run different images: ${listSome(list, 5)}; finish the rollout` } as const]),
    ...(surroundings.agents.length === 0 ? [{ kind: 'AgentMissing', nodes: [], message: 'no agent runs in this cluster' } as const] : []),
  ];
}

function policy({ policies }: Surroundings): Problem[] {
  if (policies > 0) return [];
  const message = 'no admission policy confines the agents to their own nodes';
  return [{ kind: 'PolicyMissing', nodes: [], message, values: { admissionPolicy: { enabled: true } } }];
}
