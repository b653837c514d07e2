import { listObjects } from '../../kube/watch/list.ts';
import type { KubeClient } from '../../kube/types.ts';
import { at } from '../../lib/json.ts';
import type { AgentState } from '../agents.ts';
import type { Surroundings } from './evidence.ts';
import { hypervisorOf, type Hypervisor } from './hypervisors.ts';
import { podOf, type KnownPod } from './objects.ts';
import { bindingOf, policyOf, type Admission } from './policies.ts';
import { RIGHTS, type RightName } from './rights.ts';

const PAGE_SIZE = 500;
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const OURS = { labelSelector: 'app.kubernetes.io/name=basekeeper' };

interface Connection {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/** Lists pods, agents' pods and admission policies. What the caller has no right to is left out and named. */
export async function surroundingsOf(connection: Connection, agents: () => Promise<readonly AgentState[]>): Promise<Surroundings> {
  const missing = await missingRights(connection);
  const mayListPods = !missing.includes('list pods');
  return {
    missingRights: missing,
    ...(mayListPods ? await podsOf(connection) : { pods: new Map<string, KnownPod>(), hypervisors: [] }),
    agents: mayListPods ? await agents() : [],
    admission: missing.some((right) => right.startsWith('list validating')) ? undefined : await admissionOf(connection),
  };
}

/** By one SelfSubjectAccessReview for each. */
async function missingRights({ client, signal }: Connection): Promise<readonly RightName[]> {
  const names = Object.keys(RIGHTS) as RightName[];
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const verdicts = await Promise.all(
    names.map(async (name) => {
      const spec = { resourceAttributes: RIGHTS[name].attributes };
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
      return at(await client.request({ method: 'POST', path, body, signal }), 'status', 'allowed') === true;
    }),
  );
  return names.filter((_, index) => verdicts[index] === false);
}

/** Whole pods: what their containers run is not in their metadata. */
async function podsOf(connection: Connection): Promise<Pick<Surroundings, 'pods' | 'hypervisors'>> {
  const found = await list(connection, { path: '/api/v1/pods', query: {}, accept: undefined }, readPod);
  return {
    pods: new Map(found.map(({ pod }) => [`${pod.namespace}/${pod.name}`, pod])),
    hypervisors: found.flatMap(({ hypervisor }) => hypervisor ?? []),
  };
}

function readPod(object: unknown): { readonly pod: KnownPod; readonly hypervisor: Hypervisor | undefined } | undefined {
  const pod = podOf(object);
  return pod === undefined ? undefined : { pod, hypervisor: hypervisorOf(object) };
}

async function admissionOf(connection: Connection): Promise<Admission> {
  const path = `${ADMISSION}/validatingadmissionpolicies`;
  const bindings = `${ADMISSION}/validatingadmissionpolicybindings`;
  return {
    policies: await list(connection, { path, query: OURS, accept: undefined }, policyOf),
    bindings: await list(connection, { path: bindings, query: OURS, accept: undefined }, bindingOf),
  };
}

async function list<T>(
  { client, signal }: Connection,
  request: { readonly path: string; readonly query: Readonly<Record<string, string>>; readonly accept: string | undefined },
  read: (object: unknown) => T | undefined,
): Promise<readonly T[]> {
  const { items } = await listObjects(client, { ...request, pageSize: PAGE_SIZE, resourceVersion: undefined, signal }, read);
  return [...items.values()];
}
