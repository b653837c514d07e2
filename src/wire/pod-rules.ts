import type { Config } from '../config/types.ts';
import type { PodRules } from '../sources/pods/map-pod.ts';
import { nfsShareOf } from '../surroundings/nfs-share.ts';
import { ownNamespace } from './own-namespace.ts';

/** What decides which pods of a node are of interest, of this node and of those that share its directory. */
export function podRules(config: Config): Omit<PodRules, 'instancesPath' | 'resolveLaunchers'> {
  const { policy, exemptPods, knownAgents, instancesPath } = config;
  const { selector, persistentVolumes: readsClaims } = config.sources.pods;
  return { policy, exemptPods, knownAgents, selector, readsClaims, ownNamespace: ownNamespace(), share: nfsShareOf(instancesPath) };
}
