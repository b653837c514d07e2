import type { Config } from '../config/types.ts';
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

/** What a pass asks, and how this host tells others about itself. */
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

/** Sources as configured; those of the cluster where there is one. */
async function createSources(config: Config, cluster: Cluster | undefined): Promise<WorkloadSource[]> {
  const { sources, hostInstancesPath: instancesPath } = config;
  const found = cluster === undefined ? [] : (await import('./cluster.ts')).clusterSources(config, cluster);
  if (sources.file !== undefined) found.push(createFileSource({ path: sources.file.path, trust: sources.file, clock: systemClock }));
  if (sources.libvirt !== undefined) {
    const { createLibvirtSource } = await import('../sources/libvirt/source.ts');
    found.push(createLibvirtSource({ ...sources.libvirt, instancesPath, clock: systemClock }));
  }
  return found;
}

/** What each source says, without asking anybody again. */
export function readAll(sources: readonly WorkloadSource[], signal?: AbortSignal): Promise<SourceReading[]> {
  return Promise.all(sources.map((source) => source.read({ consistent: false, signal })));
}
