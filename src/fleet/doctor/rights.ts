import type { Problem } from './problem.ts';

/** What the caller needs beside the nodes, and what is not looked at without it. */
export const RIGHTS = {
  'list pods': {
    attributes: { verb: 'list', resource: 'pods' },
    without: 'which pods hold nodes, and where agents run, is not looked at',
  },
  'create pods/portforward': {
    attributes: { verb: 'create', resource: 'pods', subresource: 'portforward' },
    without: 'no agent is asked, so the pods that hold nodes are not named',
  },
  'get pods/portforward': {
    attributes: { verb: 'get', resource: 'pods', subresource: 'portforward' },
    without: 'no agent is asked, so the pods that hold nodes are not named',
  },
  'list validatingadmissionpolicies': {
    attributes: { verb: 'list', group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicies' },
    without: 'whether the policies are in force is not looked at',
  },
  'list validatingadmissionpolicybindings': {
    attributes: { verb: 'list', group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicybindings' },
    without: 'whether the policies are in force is not looked at',
  },
} as const;

export type RightName = keyof typeof RIGHTS;

export function rightProblems(missing: readonly RightName[]): Problem[] {
  return missing.map((name) => ({ kind: 'RightMissing', nodes: [], message: `you may not ${name}: ${RIGHTS[name].without}` }));
}
