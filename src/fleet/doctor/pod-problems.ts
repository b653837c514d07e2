import { lastingLabels } from '../../lib/exemption.ts';
import { listSome } from '../../lib/text.ts';
import type { Report } from '../../model/report.ts';
import { reportOf, type Evidence } from './evidence.ts';
import { isLabelled } from './hypervisors.ts';
import type { KnownPod } from './objects.ts';
import type { Problem } from './problem.ts';

const SHOWN = 3;

interface Holder {
  readonly pod: KnownPod;
  readonly nodes: Set<string>;
  readonly sources: ReadonlySet<string>;
  /** It serves the VMs of libvirt. */
  readonly isHypervisor: boolean;
}

/** Pods that hold nodes, and pods of VMs whose source is off, grouped by what owns them. */
export function podProblems(evidence: Evidence): Problem[] {
  const holding = podsThatHold(evidence);
  const named = new Set(holding.filter(({ values }) => values === LIBVIRT).flatMap(({ nodes }) => nodes));
  return [...holding, ...sourcesOff(evidence, named)];
}

function podsThatHold({ reports, surroundings }: Evidence): Problem[] {
  const holders = new Map<string, Holder>();
  const hypervisors = new Set(surroundings.hypervisors.map(({ namespace, name }) => `${namespace}/${name}`));
  for (const [node, report] of reports) {
    if (report instanceof Error) continue;
    for (const { type, object } of report.findings) {
      const pod = surroundings.pods.get(`${object?.namespace}/${object?.name}`);
      if (type !== 'UnmappedWorkload' || object?.kind !== 'Pod' || pod === undefined) continue;
      const key = `${pod.namespace} ${pod.owner}`;
      const isHypervisor = isLabelled(pod) || hypervisors.has(`${pod.namespace}/${pod.name}`);
      const holder = holders.get(key) ?? { pod, nodes: new Set(), sources: sourcesOf(report), isHypervisor };
      holders.set(key, holder);
      holder.nodes.add(node);
    }
  }
  return [...holders.values()].map(holdingProblem);
}

function sourcesOf(report: Report): ReadonlySet<string> {
  return new Set(report.sources.map(({ name }) => name));
}

const LIBVIRT = { config: { sources: { libvirt: { enabled: true } } } };
const VMIS = { config: { sources: { virtualMachineInstances: { enabled: true } } } };

function holdingProblem({ pod, nodes, sources, isHypervisor }: Holder): Problem {
  const who = `${pod.owner} in namespace ${pod.namespace}`;
  const about = { kind: 'PodHolds', nodes: [...nodes] } as const;
  if (isHypervisor && !sources.has('libvirt')) {
    return { ...about, message: `${who} runs libvirt's VMs, and the agent does not ask libvirt: switch its source on`, values: LIBVIRT };
  }
  if (pod.labels.get('kubevirt.io') === 'virt-launcher' && !sources.has('virtualMachineInstances')) {
    return { ...about, message: `${who} is a VM of KubeVirt, and the agent does not ask KubeVirt: switch its source on`, values: VMIS };
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

/** VMs of libvirt on nodes whose agents do not ask libvirt, as an agent with the same configuration says. They need not hold: somebody may have exempted them. */
function sourcesOff({ reports, surroundings: { agents, hypervisors } }: Evidence, named: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  for (const [, alike] of Map.groupBy(agents, ({ owner }) => owner)) {
    const report = alike.map(({ node }) => reportOf(reports, node)).find((found) => found !== undefined);
    if (report === undefined || sourcesOf(report).has('libvirt')) continue;
    const nodes = new Set(alike.map(({ node }) => node).filter((node) => !named.has(node)));
    const there = hypervisors.filter(({ node }) => nodes.has(node));
    if (there.length === 0) continue;
    const owners = [...new Set(there.map(({ owner, namespace }) => `${owner} in namespace ${namespace}`))];
    const message = `${listSome(owners, SHOWN)} runs libvirt's VMs, and the agent does not ask libvirt: switch its source on`;
    problems.push({ kind: 'SourceOff', nodes: [...new Set(there.map(({ node }) => node))], message, values: LIBVIRT });
  }
  return problems;
}
