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

import { NAMESPACE_VARIABLE, ownNamespace } from './own-namespace.ts';
import { podRules } from './pod-rules.ts';

export { connectToCluster } from '../kube/connect.ts';

/** The sources that ask the cluster. */
export function clusterSources(config: Config, { watches, node }: Cluster): WorkloadSource[] {
  const { sources, nodeName, hostInstancesPath: instancesPath } = config;
  const shared = { ...watches, nodeName, instancesPath };
  const vmis = sources.virtualMachineInstances.enabled ? createVmiSource(shared) : undefined;
  const found: WorkloadSource[] = [];
  if (sources.pods.enabled) {
    found.push(createPodSource({ ...shared, ...podRules(config), vmis }));
  }
  if (vmis !== undefined) found.push(vmis);
  found.push(...sources.rules.map((rule) => createRuleSource({ ...shared, rule })));
  found.push(createPinSource({ ...shared, node, configMapNamespace: config.pinConfigMaps ? namespaceOfPins() : undefined }));
  return found;
}

function namespaceOfPins(): string {
  const namespace = ownNamespace();
  if (namespace !== undefined && namespace !== '') return namespace;
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
