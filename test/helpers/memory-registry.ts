import type { StorageRegistry } from '../../src/model/ports.ts';

export interface MemoryStorageRegistry extends StorageRegistry {
  /** From now on it is broken; undefined: it is whole again. */
  breakDown(problem: string | undefined): void;
}

/** The in-memory twin of the registry of hosts. */
export function memoryStorageRegistry(hosts: Readonly<Record<string, number>> = {}): MemoryStorageRegistry {
  const known = new Map(Object.entries(hosts));
  let problem: string | undefined;
  return {
    breakDown: (told) => {
      problem = told;
    },
    read: async () => ({ hosts: new Map(known), problem }),
    register: async (host, nowMs) => {
      if (problem === undefined) known.set(host, Math.max(known.get(host) ?? nowMs, nowMs));
      return problem;
    },
    forget: async (host) => problem ?? (known.delete(host) ? undefined : `no host ${JSON.stringify(host)} is registered`),
  };
}
