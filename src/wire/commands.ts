import type { Config } from '../config/types.ts';
import { createBaseDirectoryOpener } from '../disk/base-directory.ts';
import type { TrashEntry } from '../execute/trash/restore.ts';
import { createFileLocker } from '../disk/locks/nova-lock.ts';
import { ensureOwnedDirectory } from '../disk/owned-directory.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../model/ports.ts';
import { collectReferences } from '../references/collect.ts';
import type { NodeCleanup } from '../fleet/cleanup.ts';
import type { WiredAgent } from './agent.ts';
import type { ListedHosts } from './shared-storage.ts';

export { createPass } from './pass.ts';

// What only some commands need is imported where it is needed: the others do not even read it from the bundle.

/** What lies in the trash, newest first. */
export async function listTrash({ basePath }: Config): Promise<readonly TrashEntry[]> {
  const { listTrash: listTrashOf } = await import('../execute/trash/restore.ts');
  return listTrashOf({ directories: createBaseDirectoryOpener(), basePath });
}

/** Puts a file back from the trash. */
export async function restoreFile({ basePath, locksPath, policy }: Config, wanted: string, signal: AbortSignal) {
  const { restoreFile: restoreTrashed } = await import('../execute/trash/restore.ts');
  const parts = { locker: createFileLocker({ locksPath }), directories: createBaseDirectoryOpener(), clock: systemClock };
  const { lockTimeoutSeconds } = policy;
  const { outcome, entry, message } = await restoreTrashed({ ...parts, basePath, lockTimeoutSeconds }, wanted, signal);
  return { outcome, name: entry?.name, message };
}

/** Removes our annotations from every node of the cluster. */
export async function cleanUpNodes(signal: AbortSignal): Promise<NodeCleanup> {
  const { wireNodeCleanup } = await import('./cluster.ts');
  return wireNodeCleanup(signal);
}

/** Makes the base and the lock directory where they are missing, for the owner of the directory above. Throws when one cannot be had. */
export function prepareDirectories({ basePath, locksPath }: Config) {
  return [basePath, locksPath].map((path) => ({ path, made: ensureOwnedDirectory(path) }));
}

/** Where the directory is shared: registers this host, which makes the registry. Throws when it cannot be registered. */
export async function prepareRegistry(config: Config): Promise<{ path: string; made: boolean }[]> {
  if (config.sharedStorage === undefined) return [];
  const { registerHost } = await import('./shared-storage.ts');
  return [await registerHost(config, config.sharedStorage)];
}

/** Tries each rule on the object as the agent of that node would. */
export async function tryRules(about: Pick<Config, 'nodeName' | 'subdirectoryName'> & Pick<Config['sources'], 'rules'>, object: unknown) {
  const { tryRules: tryRulesOn } = await import('../sources/rules/trial.ts');
  return tryRulesOn(about.rules, about.nodeName, object).map((trial) => {
    const { byDigest, byName } = collectReferences(trial.workload === undefined ? [] : [trial.workload], about.subdirectoryName);
    return { ...trial, baseFiles: [...byDigest.keys(), ...byName.keys()] };
  });
}

/** The hosts that share the instances directory, and what is wrong with their registry. */
export async function listHosts(config: Config): Promise<ListedHosts> {
  const { listRegisteredHosts } = await import('./shared-storage.ts');
  return listRegisteredHosts(config);
}

/** Removes a host from the registry; resolves with why it could not, if so. */
export async function forgetHost(config: Config, host: string): Promise<string | undefined> {
  const { storageRegistry } = await import('./shared-storage.ts');
  return storageRegistry(config).forget(host);
}

export async function createAgent(config: Config, parts: { readonly logger: Logger }): Promise<WiredAgent> {
  const { wireAgent } = await import('./agent.ts');
  return wireAgent(config, parts);
}
