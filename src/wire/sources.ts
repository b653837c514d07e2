import type { Config, SourcesConfig } from '../config/types.ts';
import type { Cluster } from '../kube/connect.ts';
import type { RequestObserver } from '../kube/types.ts';
import { systemClock } from '../lib/clock.ts';
import type { Membership } from '../shared-storage/membership.ts';
import type { Logger, WorkloadSource } from '../model/ports.ts';
import type { SourceReading } from '../model/workload.ts';
import { createFileSource } from '../sources/file/source.ts';

/** Throws when neither a kubeconfig nor a service account can be found. */
export async function connect(config: Config, observe: RequestObserver | undefined): Promise<Cluster> {
  const { connectToCluster } = await import('./cluster.ts');
  return connectToCluster(config.nodeName, observe);
}

/** What a pass asks, and how this host reports to others. */
export interface Evidence {
  readonly sources: readonly WorkloadSource[];
  /** Undefined: this host has the instances directory to itself. */
  readonly membership: Membership | undefined;
}

/** The sources of this host and, where it shares its directory, of the others. */
export async function createEvidence(config: Config, cluster: Cluster | undefined, logger: Logger): Promise<Evidence> {
  const sources = await createSources(config, cluster);
  if (config.sharedStorage === undefined) return { sources, membership: undefined };
  const { wireSharedStorage } = await import('./shared-storage.ts');
  const { source, membership } = wireSharedStorage(config, config.sharedStorage, { cluster, sources, clock: systemClock, logger });
  return { sources: [...sources, source], membership };
}

/** Those that `clusterSources` (cluster.ts) makes. */
type OfCluster = 'pods' | 'virtualMachineInstances' | 'rules';

/** How each of the others is made; undefined where it is off. A new source does not compile without its line here or there. */
const MAKERS: Readonly<Record<Exclude<keyof SourcesConfig, OfCluster>, (config: Config) => Promise<WorkloadSource | undefined>>> = {
  file({ sources: { file } }) {
    return Promise.resolve(file === undefined ? undefined : createFileSource({ path: file.path, trust: file, clock: systemClock }));
  },
  async libvirt({ sources: { libvirt }, hostInstancesPath: instancesPath }) {
    if (libvirt === undefined) return undefined;
    const { createLibvirtSource } = await import('../sources/libvirt/source.ts');
    return createLibvirtSource({ ...libvirt, instancesPath, clock: systemClock });
  },
};

/** Sources as configured; those of the cluster where there is one. */
async function createSources(config: Config, cluster: Cluster | undefined): Promise<WorkloadSource[]> {
  const ofCluster = cluster === undefined ? [] : (await import('./cluster.ts')).clusterSources(config, cluster);
  const others = await Promise.all(Object.values(MAKERS).map((make) => make(config)));
  return [...ofCluster, ...others.filter((source) => source !== undefined)];
}

/** What each source says, without asking anybody again. */
export function readAll(sources: readonly WorkloadSource[], signal?: AbortSignal): Promise<SourceReading[]> {
  return Promise.all(sources.map((source) => source.read({ consistent: false, signal })));
}
