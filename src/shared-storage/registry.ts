import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { withPlaces, type Place } from '../disk/open-places.ts';
import { fileVersion, readSmallFile, type SmallFile } from '../disk/read-small-file.ts';
import type { FileLocker, StorageRegistry } from '../model/ports.ts';
import type { RegistryReading } from '../model/shared-storage.ts';
import {
  formatMemory,
  formatRegistry,
  isHostName,
  MAX_REGISTRY_BYTES,
  parseMemory,
  parseRegistry,
  union,
  whyTooMany,
  type Hosts,
  type ParsedHosts,
  type ParsedMemory,
} from './registry-file.ts';
import { overwriteFile, replaceFile } from '../disk/write-small-file.ts';
import { distrust, isUnfinished } from './trust.ts';

/** Below the instances path, as in `nova/virt/storage_users.py`. */
export const REGISTRY_NAME = 'compute_nodes';
/** With the prefix of the locker: `nova-storage-registry-lock`. */
const LOCK_NAME = 'storage-registry-lock';
/** In the lock directory, which is writable wherever locks can be taken. */
export const MEMORY_NAME = 'basekeeper-hosts.json';

/** Nova holds the lock for as long as it takes to write a short file. */
const LOCK_TIMEOUT_SECONDS = 5;

export interface StorageRegistryOptions {
  readonly instancesPath: string;
  readonly locksPath: string;
  readonly locker: FileLocker;
  /** Why nothing may be written beside the locks, if so. Asked before each writing, of which a lock file is the first. */
  readonly strangers?: (() => readonly string[]) | undefined;
}

/** Nova's registry of hosts, in place and under its lock, and our memory of it. */
export function createStorageRegistry(options: StorageRegistryOptions): StorageRegistry {
  return new FileRegistry(options);
}

/** Both files, read under the lock, and the directories that they were read in. */
interface Found {
  readonly registry: ParsedHosts;
  /** As it stands there; undefined where there is no file. */
  readonly text: string | undefined;
  readonly memory: ParsedMemory;
  readonly instances: Place;
  readonly locks: Place;
}

const EMPTY_REGISTRY = { none: { hosts: new Map() }, remedy: 'write {} into it, and every host registers again' };
const EMPTY_MEMORY = {
  none: { pending: false, since: undefined, hosts: new Map() },
  remedy: 'remove it, and it is made again from compute_nodes',
};

class FileRegistry implements StorageRegistry {
  readonly #options: StorageRegistryOptions;
  readonly #registryPath: string;
  readonly #memoryPath: string;
  readonly #lockPath: string;
  /** Of the last reading: a lock that is busy makes nobody forget. */
  #known: Hosts = new Map();
  /** What did not change since is not read again: asking takes no lock then, which every host and Nova would wait for. */
  #last: { readonly version: string | undefined; readonly reading: RegistryReading } | undefined;

  constructor(options: StorageRegistryOptions) {
    this.#options = options;
    this.#registryPath = join(options.instancesPath, REGISTRY_NAME);
    this.#memoryPath = join(options.locksPath, MEMORY_NAME);
    this.#lockPath = join(options.locksPath, `nova-${LOCK_NAME}`);
  }

  async read(signal?: AbortSignal): Promise<RegistryReading> {
    if (
      this.#last !== undefined &&
      this.#last.reading.problem === undefined &&
      this.#last.version !== undefined &&
      this.#last.version === this.#version()
    )
      return this.#last.reading;
    let found: Found | undefined;
    let version: string | undefined;
    const keep = (seen: Found): undefined => {
      found = seen;
      version = this.#version();
    };
    // Anyone who writes has made the lock file before. A reader makes none, so that a dry run leaves nothing behind.
    const problem = existsSync(this.#lockPath) ? await this.#locked(signal, keep) : this.#unlocked(keep);
    if (found === undefined) return { hosts: inMilliseconds(this.#known), problem };
    this.#known = union(found.registry.hosts, found.memory.hosts);
    const { since } = found.memory.problem === undefined ? found.memory : {};
    const reading = {
      hosts: inMilliseconds(this.#known),
      sinceMs: since === undefined ? undefined : since * 1000,
      problem: this.#problemOf(found),
    };
    this.#last = { version, reading };
    return reading;
  }

  async register(host: string, nowMs: number, signal?: AbortSignal): Promise<string | undefined> {
    if (!isHostName(host)) return `${JSON.stringify(host)} is not a host name; set sharedStorage.hostName`;
    return await this.#writing(signal, (found) => {
      const problem = isInterrupted(found) ? undefined : this.#problemOf(found);
      if (problem !== undefined) return problem;
      return this.#write(union(found.memory.hosts, found.registry.hosts, new Map([[host, nowMs / 1000]])), found, nowMs / 1000);
    });
  }

  async forget(host: string, signal?: AbortSignal): Promise<string | undefined> {
    return await this.#writing(signal, (found) => {
      const problem = isInterrupted(found) ? undefined : this.#problemOf(found);
      if (problem !== undefined) return problem;
      const hosts = new Map(union(found.memory.hosts, found.registry.hosts));
      if (!hosts.delete(host)) return `no host ${JSON.stringify(host)} is registered`;
      return this.#write(hosts, found, Date.now() / 1000);
    });
  }

  /** Undefined where it cannot be read, which equals nothing that was read. */
  #version(): string | undefined {
    try {
      return withPlaces(this.#options, (instances, locks) =>
        [`${instances.path}/${REGISTRY_NAME}`, `${locks.path}/${MEMORY_NAME}`].map((path) => fileVersion(path) ?? 'none').join('; '),
      );
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  async #writing(signal: AbortSignal | undefined, work: (found: Found) => string | undefined): Promise<string | undefined> {
    const [stranger] = this.#options.strangers?.() ?? [];
    return stranger ?? (await this.#locked(signal, work));
  }

  /** Runs `work` under Nova's lock; resolves with its answer, or with why the lock or the files cannot be had. */
  async #locked(signal: AbortSignal | undefined, work: (found: Found) => string | undefined): Promise<string | undefined> {
    try {
      const lock = await this.#options.locker.acquire(LOCK_NAME, { timeoutSeconds: LOCK_TIMEOUT_SECONDS, signal });
      if (lock === undefined)
        return `${this.#registryPath}: its lock nova-${LOCK_NAME} was held by somebody else for ${LOCK_TIMEOUT_SECONDS} s`;
      try {
        return withPlaces(this.#options, (instances, locks) => work(look(instances, locks)));
      } finally {
        lock.release({ remove: false });
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return `${this.#registryPath}: ${messageOf(error)}`;
    }
  }

  /** As `#locked` where nobody has ever taken the lock. */
  #unlocked(work: (found: Found) => undefined): string | undefined {
    const { instancesPath, locksPath } = this.#options;
    try {
      if (existsSync(locksPath)) return withPlaces(this.#options, (instances, locks) => work(look(instances, locks)));
      const nowhere = { instancesPath, locksPath: instancesPath };
      return withPlaces(nowhere, (instances) => work({ ...look(instances, instances), memory: EMPTY_MEMORY.none }));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return `${this.#registryPath}: ${messageOf(error)}`;
    }
  }

  /** What we remember goes first: a crash in the middle of the registry leaves a complete one there. Returns why nothing was written, if so. */
  #write(hosts: Hosts, { memory, instances, locks, text }: Found, nowSeconds: number): string | undefined {
    const tooMany = whyTooMany(hosts);
    if (tooMany !== undefined) return `${this.#registryPath}: ${tooMany}`;
    const since = memory.problem === undefined ? (memory.since ?? nowSeconds) : nowSeconds;
    const memoryPath = `${locks.path}/${MEMORY_NAME}`;
    const refuse = (file: SmallFile) =>
      distrust(file, placeOf(instances)) ?? (file.text === text ? undefined : 'it changed under its lock');
    replaceFile(memoryPath, formatMemory({ pending: true, since, hosts }));
    overwriteFile(`${instances.path}/${REGISTRY_NAME}`, formatRegistry(hosts), refuse, MAX_REGISTRY_BYTES);
    replaceFile(memoryPath, formatMemory({ pending: false, since, hosts }));
    this.#known = hosts;
    return undefined;
  }

  #problemOf(found: Found): string | undefined {
    const { registry, memory } = found;
    if (memory.problem !== undefined) return `${this.#memoryPath}: ${memory.problem}`;
    if (registry.problem === undefined) return undefined;
    return `${this.#registryPath}: ${registry.problem}${isInterrupted(found) ? ' (somebody died while writing it; the next agent completes it)' : ''}`;
  }
}

/** One of us died while writing the registry, and nobody has written it since: what stands there is the beginning of what was to be written. */
function isInterrupted({ registry, memory, text }: Found): boolean {
  if (registry.problem === undefined || memory.problem !== undefined || !memory.pending) return false;
  return text !== undefined && isUnfinished(text, formatRegistry(memory.hosts));
}

function look(instances: Place, locks: Place): Found {
  const registryFile = readSmallFile(`${instances.path}/${REGISTRY_NAME}`, MAX_REGISTRY_BYTES);
  const memoryFile = readSmallFile(`${locks.path}/${MEMORY_NAME}`, MAX_REGISTRY_BYTES);
  const suspicion = registryFile === undefined ? undefined : distrust(registryFile, placeOf(instances));
  return {
    instances,
    locks,
    // What is not believed is not completed, either.
    text: suspicion === undefined ? registryFile?.text : undefined,
    registry: suspicion === undefined ? parsed(registryFile, parseRegistry, EMPTY_REGISTRY) : { problem: suspicion },
    memory: memoryOf(memoryFile, locks),
  };
}

/** An agent that may not give files away leaves its own there: root's, or its user's. */
function memoryOf(file: SmallFile | undefined, locks: Place): ParsedMemory {
  const ours = [0, process.geteuid?.() ?? 0];
  const suspicion = file === undefined ? undefined : distrust(file, { directory: locks, alsoOwnedBy: ours });
  return suspicion === undefined ? parsed(file, parseMemory, EMPTY_MEMORY) : { problem: suspicion };
}

/** Nova's file is Nova's, or that of an agent which runs as another user than root. Root's may be any file of the host. */
function placeOf(instances: Place) {
  const user = process.geteuid?.() ?? 0;
  return { directory: instances, alsoOwnedBy: user === 0 ? [] : [user] };
}

function parsed<T extends { readonly problem?: string | undefined }>(
  file: SmallFile | undefined,
  parse: (text: string) => T,
  { none, remedy }: { readonly none: T; readonly remedy: string },
): T | { readonly problem: string } {
  if (file === undefined) return none;
  const value = parse(file.text);
  return value.problem === undefined ? value : { problem: `${value.problem}; ${remedy}` };
}

function inMilliseconds(hosts: Hosts): ReadonlyMap<string, number> {
  return new Map([...hosts].map(([host, seconds]) => [host, seconds * 1000]));
}
