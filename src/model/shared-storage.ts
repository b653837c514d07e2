/**
 * `own`: this host; `known`: its workloads count; `unknown`: they are unknown; `stale`: it has not registered for longer than
 * `hostTimeoutSeconds`; `ignored`: the configuration says that it does not count.
 */
export type StorageHostState = 'own' | 'known' | 'unknown' | 'stale' | 'ignored';

/** One host that has the instances directory mounted. */
export interface StorageHost {
  readonly name: string;
  readonly state: StorageHostState;
  /** Wall clock (ms) of its last registration; undefined for this host before its first. */
  readonly registeredAtMs?: number | undefined;
  /** By what its workloads are known, or why they are not. */
  readonly message?: string | undefined;
}

/** Who shares the instances directory. */
export interface SharedStorage {
  readonly hosts: readonly StorageHost[];
  /** What is wrong with the registry of hosts: more may share the directory than it says. */
  readonly problem?: string | undefined;
  /** That the registry is so new that not every host may be in it yet. */
  readonly unsettled?: string | undefined;
}

/** What the registry of hosts says. */
export interface RegistryReading {
  /** Host name → wall clock (ms) of its last registration. */
  readonly hosts: ReadonlyMap<string, number>;
  /** Wall clock (ms) of the first registration by an agent; undefined before it, and while it is unknown. */
  readonly sinceMs?: number | undefined;
  /** Why it cannot be relied upon; `hosts` are then those that are remembered. */
  readonly problem?: string | undefined;
}
