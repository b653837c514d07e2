import type { Problem } from './problem.ts';

const NO_REPORTS = 'no agent is asked, so the pods that hold nodes are not named';
const NO_POLICIES = 'whether the policies are in force is not looked at';

/** What the caller needs beside the nodes, and what is not looked at without it. */
export const RIGHTS = {
  'list pods': {
    attributes: { verb: 'list', resource: 'pods' },
    without: 'which pods hold nodes, and where agents run, is not looked at',
  },
  'create pods/portforward': {
    attributes: { verb: 'create', resource: 'pods', subresource: 'portforward' },
    without: NO_REPORTS,
  },
  'get pods/portforward': {
    attributes: { verb: 'get', resource: 'pods', subresource: 'portforward' },
    without: NO_REPORTS,
  },
  'list validatingadmissionpolicies': {
    attributes: { verb: 'list', group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicies' },
    without: NO_POLICIES,
  },
  'list validatingadmissionpolicybindings': {
    attributes: { verb: 'list', group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicybindings' },
    without: NO_POLICIES,
  },
} as const;

export type RightName = keyof typeof RIGHTS;

export function rightProblems(missing: readonly RightName[]): Problem[] {
  return missing.map((name) => ({ kind: 'RightMissing', nodes: [], message: `you may not ${name}: ${RIGHTS[name].without}` }));
}
