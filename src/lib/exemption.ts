import type { ObjectReference } from '../model/workload.ts';

/** Labels that change with every version, replica or run of what made the pod. */
const FLEETING = [
  /^(pod-template-hash|controller-revision-hash|pod-template-generation|controller-uid|job-name|helm\.sh\/chart)$/,
  /^(batch\.kubernetes\.io|statefulset\.kubernetes\.io|apps\.kubernetes\.io)\//,
  /^app\.kubernetes\.io\/(version|managed-by)$/,
  /^heritage$/,
];

/** What pods like this one have and others do not, as a label selector; empty where nothing does. */
export function lastingLabels(labels: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...labels].filter(([key]) => !FLEETING.some((pattern) => pattern.test(key))));
}

/**
 * How the operator says that pods like this one run no VM: the chart's value, on one line of YAML, ready to paste. A pod without a
 * lasting label is annotated itself: the value would exempt its whole namespace.
 */
export function exemption({ namespace, name }: Pick<ObjectReference, 'namespace' | 'name'>, labels: ReadonlyMap<string, string>): string {
  const matchLabels = lastingLabels(labels);
  const place = namespace === undefined ? '' : `--namespace ${namespace} `;
  if (Object.keys(matchLabels).length === 0) return `kubectl annotate pod ${place}${name} 'basekeeper.io/image-ref='`;
  const entry = { ...(namespace === undefined ? {} : { namespace }), selector: { matchLabels } };
  // JSON is YAML, and quotes what needs quotes.
  return JSON.stringify({ config: { exemptPods: [entry] } });
}
