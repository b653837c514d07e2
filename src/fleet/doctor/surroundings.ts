import { listObjects } from '../../kube/watch/list.ts';
import type { KubeClient } from '../../kube/types.ts';
import type { AgentState } from '../agents.ts';
import { podOf, type Surroundings } from './objects.ts';

const PAGE_SIZE = 500;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

type Asking = <T>(what: string, right: string, ask: () => Promise<T>) => Promise<T>;

/** Lists pods, agents' pods and bindings of admission policies. Throws an error that names the right that is missing. */
export async function surroundingsOf(
  { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
  agents: () => Promise<readonly AgentState[]>,
  asking: Asking,
): Promise<Surroundings> {
  const shared = { pageSize: PAGE_SIZE, resourceVersion: undefined, signal };
  const all = { ...shared, path: '/api/v1/pods', query: {}, accept: METADATA_LIST };
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
  const bindings = { ...shared, path, query: { labelSelector: 'app.kubernetes.io/name=basekeeper' }, accept: METADATA_LIST };
  const pods = await asking('list pods', 'list pods', () => listObjects(client, all, podOf));
  const found = await agents();
  const policies = await asking('list admission policies', 'list validatingadmissionpolicybindings', () =>
    listObjects(client, bindings, () => true),
  );
  return {
    pods: new Map([...pods.items.values()].map((pod) => [`${pod.namespace}/${pod.name}`, pod])),
    agents: found,
    policies: policies.items.size,
  };
}
