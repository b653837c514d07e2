import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasSourcesOfItsOwn } from '../config/source-kinds.ts';
import type { Config, SharedStorageConfig } from '../config/types.ts';
import { createFileLocker } from '../disk/locks/nova-lock.ts';
import { createStorageRegistry, REGISTRY_NAME } from '../shared-storage/registry.ts';
import type { Cluster } from '../kube/connect.ts';
import { createMembership, type Membership } from '../shared-storage/membership.ts';
import type { Clock, Logger, StorageRegistry, WorkloadSource } from '../model/ports.ts';
import { podRules } from './pod-rules.ts';
import type { Wiring } from './wiring.ts';
import type { HostReport } from '../model/host-report.ts';
import { errnoError } from '../lib/errors.ts';
import { strangeLockDirectory } from '../surroundings/directories.ts';
import { hostReport, type HostFacts } from '../shared-storage/host-report.ts';
import { systemClock } from '../lib/clock.ts';
import { timestamp } from '../lib/timestamp.ts';
import { classifyHosts } from '../shared-storage/hosts.ts';
import { OwnReport } from '../shared-storage/own-report.ts';
import { HostWatches } from '../shared-storage/host-watches.ts';
import { createSharedStorageSource } from '../shared-storage/source.ts';

export interface SharedStorageParts {
  readonly cluster: Cluster | undefined;
  /** Those of this host. */
  readonly sources: readonly WorkloadSource[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: that of membership.ts. */
  readonly reportIntervalMs?: number | undefined;
}

/** What a host that shares its directory has besides. */
export interface WiredSharedStorage {
  /** The workloads of the other hosts. */
  readonly source: WorkloadSource;
  readonly membership: Membership;
}

export function wireSharedStorage(config: Config, shared: SharedStorageConfig, parts: SharedStorageParts): WiredSharedStorage {
  const { instancesPath, locksPath, hostInstancesPath, subdirectoryName } = config;
  const view = { hostInstancesPath, subdirectoryName, needsInstanceNames: config.policy.overlays === 'nova' };
  const { clock } = parts;
  const registry = storageRegistry(config);
  const needsReports = hasSourcesOfItsOwn(config.sources);
  const own = new OwnReport(config);
  const membership = createMembership({
    ...parts,
    registry,
    host: shared.hostName,
    hostTimeoutSeconds: shared.hostTimeoutSeconds,
    reportOf: (takenAtMs, readings, nowMs) => hostReport({ ...factsOf(config, shared), takenAtMs }, readings, nowMs),
    publish: (report) => publish(config, own, report),
  });
  const registrationProblem = () => membership.problem();
  const watches = hostWatches(config, parts);
  return {
    membership,
    source: createSharedStorageSource({
      ...shared,
      ...view,
      instancesPath,
      locksPath,
      registry,
      needsReports,
      watches,
      registrationProblem,
      clock,
    }),
  };
}

function factsOf(config: Config, { hostName }: SharedStorageConfig): Omit<HostFacts, 'takenAtMs'> {
  return {
    host: hostName,
    onlyByReport: hasSourcesOfItsOwn(config.sources),
    instancesPath: config.hostInstancesPath,
    subdirectoryName: config.subdirectoryName,
    pins: config.policy.pins,
  };
}

export function storageRegistry({ instancesPath, locksPath }: Config): StorageRegistry {
  return createStorageRegistry({
    instancesPath,
    locksPath,
    locker: createFileLocker({ locksPath }),
    strangers: () => strangeLockDirectory({ instancesPath, locksPath }),
  });
}

/** The registered hosts, as `basekeeper hosts` lists them. */
export async function listRegisteredHosts(config: Config): ReturnType<Wiring['listHosts']> {
  if (config.sharedStorage === undefined) return { hosts: [], problem: undefined };
  const { hosts, problem } = await storageRegistry(config).read();
  const listed = classifyHosts(hosts, config.sharedStorage, systemClock.now().wallMs).map(({ registeredAtMs, ...host }) => ({
    ...host,
    ...(registeredAtMs === undefined ? {} : { registeredAt: timestamp(registeredAtMs) }),
  }));
  return { hosts: listed, problem };
}

/** Registers this host once; throws when that cannot be done. */
export async function registerHost(config: Config, { hostName }: SharedStorageConfig): Promise<{ path: string; made: boolean }> {
  const path = join(config.instancesPath, REGISTRY_NAME);
  const made = !existsSync(path);
  const problem = await storageRegistry(config).register(hostName, systemClock.now().wallMs);
  if (problem !== undefined) throw new Error(`host ${JSON.stringify(hostName)} could not be registered: ${problem}`);
  return { path, made };
}

/** Throws an errno error. */
function publish(config: Config, own: OwnReport, report: HostReport): string | undefined {
  const [stranger] = strangeLockDirectory(config);
  if (stranger !== undefined) throw errnoError('EXDEV', stranger);
  return own.publish(report);
}

function hostWatches(config: Config, { cluster }: SharedStorageParts): HostWatches | undefined {
  const { pods, virtualMachineInstances } = config.sources;
  if (cluster === undefined || (!pods.enabled && !virtualMachineInstances.enabled)) return undefined;
  return new HostWatches({
    ...cluster.watches,
    instancesPath: config.hostInstancesPath,
    pods: pods.enabled ? podRules(config) : undefined,
    vmis: virtualMachineInstances.enabled,
  });
}
