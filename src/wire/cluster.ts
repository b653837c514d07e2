import type { Config } from '../config/types.ts';
import { connectClient, type Cluster } from '../kube/connect.ts';
import { UsageError } from '../lib/errors.ts';
import type { WorkloadSource } from '../model/ports.ts';
import { removeNodeAnnotations, type NodeCleanup } from '../fleet/cleanup.ts';
import { systemTiming } from '../lib/timing.ts';
import { createPinSource } from '../sources/pins/source.ts';
import { createPodSource } from '../sources/pods/source.ts';
import { createRuleSource } from '../sources/rules/source.ts';
import { createVmiSource } from '../sources/vmis/source.ts';

export { connectToCluster } from '../kube/connect.ts';

/** Our service account's namespace, where the pod that we run in lives. */
const NAMESPACE_VARIABLE = 'POD_NAMESPACE';

/** The sources that ask the cluster. */
export function clusterSources(config: Config, { watches, node }: Cluster): WorkloadSource[] {
  const { sources, nodeName, hostInstancesPath: instancesPath, exemptPods } = config;
  const ownNamespace = process.env[NAMESPACE_VARIABLE];
  const shared = { ...watches, nodeName, instancesPath };
  const vmis = sources.virtualMachineInstances.enabled ? createVmiSource(shared) : undefined;
  const found: WorkloadSource[] = [];
  if (sources.pods.enabled) found.push(createPodSource({ ...shared, vmis, exemptPods, selector: sources.pods.selector, ownNamespace }));
  if (vmis !== undefined) found.push(vmis);
  found.push(...sources.rules.map((rule) => createRuleSource({ ...shared, rule })));
  found.push(createPinSource({ ...shared, node, configMapNamespace: config.pinConfigMaps ? namespaceOfPins(ownNamespace) : undefined }));
  return found;
}

function namespaceOfPins(ownNamespace: string | undefined): string {
  if (ownNamespace !== undefined && ownNamespace !== '') return ownNamespace;
  throw new UsageError(`pins.configMaps needs the agent's namespace: set the environment variable ${NAMESPACE_VARIABLE}`);
}

/** Removes our annotations from every node. */
export async function wireNodeCleanup(signal: AbortSignal): Promise<NodeCleanup> {
  const client = await connectClient();
  try {
    return await removeNodeAnnotations({ client, timing: systemTiming, signal });
  } finally {
    client.close();
  }
}
