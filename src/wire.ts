import type { Config } from './config/types.ts';
import { runPass, type PassParts } from './cycle.ts';
import { createBaseDirectoryOpener } from './execute/base-directory.ts';
import { createExecutor } from './execute/executor.ts';
import type { TrashEntry } from './execute/restore.ts';
import { createFileLocker } from './execute/file-lock.ts';
import { ensureOwnedDirectory } from './execute/owned-directory.ts';
import { systemClock } from './lib/clock.ts';
import { sleep } from './lib/sleep.ts';
import type { Report, Stage } from './model/plan.ts';
import type { ChecksumRecords, Clock, Logger, WorkloadSource } from './model/ports.ts';
import { collectReferences } from './references/collect-references.ts';
import type { NodeCleanup } from './report/node-cleanup.ts';
import { createBaseVerifier } from './scan/base-verifier.ts';
import { createBaseScanner } from './scan/base-dir.ts';
import { createOverlayScanner } from './scan/overlays.ts';
import type { ListedHosts } from './wire/shared-storage.ts';
import { asksCluster, connect, createEvidence, readAll } from './wire/sources.ts';

// What only some commands need is imported where it is needed: the others do not even read it from the bundle.

/** How long a single pass waits for its sources to be listed before it goes on with a closed gate. */
const SYNC_WAIT_MS = 30_000;
const SYNC_POLL_MS = 50;
/** A command says what is wrong in its result. */
const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface PassRun {
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** A single pass as the command line runs it. */
export interface WiredPass {
  runPass(options: PassRun): Promise<Report>;
  close(): Promise<void>;
}

/** Throws when a cluster is needed and no kubeconfig can be had. */
export async function createPass(config: Config): Promise<WiredPass> {
  const cluster = asksCluster(config) ? await connect(config, undefined) : undefined;
  const { sources, membership } = await createEvidence(config, cluster, SILENT);
  const parts = passParts(config, sources);
  for (const source of sources) source.start();
  return {
    async runPass(options) {
      if (!options.dryRun) await membership?.register(options.signal);
      await untilListed(sources, options.signal);
      return runPass(parts, options);
    },
    async close() {
      await Promise.all(sources.map((source) => source.stop()));
      cluster?.client.close();
    },
  };
}

/** What lies in the trash, newest first. */
export async function listTrash({ basePath }: Config): Promise<readonly TrashEntry[]> {
  const { listTrash: listTrashOf } = await import('./execute/restore.ts');
  return listTrashOf({ directories: createBaseDirectoryOpener(), basePath });
}

/** Puts a file back from the trash. */
export async function restoreFile({ basePath, locksPath, policy }: Config, wanted: string, signal: AbortSignal) {
  const { restoreFile: restoreTrashed } = await import('./execute/restore.ts');
  const parts = { locker: createFileLocker({ locksPath }), directories: createBaseDirectoryOpener(), clock: systemClock };
  const { lockTimeoutSeconds } = policy;
  const { outcome, entry, message } = await restoreTrashed({ ...parts, basePath, lockTimeoutSeconds }, wanted, signal);
  return { outcome, name: entry?.name, message };
}

/** Removes our annotations from every node of the cluster. */
export async function cleanUpNodes(signal: AbortSignal): Promise<NodeCleanup> {
  const { wireNodeCleanup } = await import('./wire/cluster.ts');
  return wireNodeCleanup(signal);
}

/** Makes the base and the lock directory where they are missing, for the owner of the directory above. Throws when one cannot be had. */
export function prepareDirectories({ basePath, locksPath }: Config) {
  return [basePath, locksPath].map((path) => ({ path, made: ensureOwnedDirectory(path) }));
}

/** Where the directory is shared: registers this host, which makes the registry. Throws when it cannot be registered. */
export async function prepareRegistry(config: Config): Promise<{ path: string; made: boolean }[]> {
  if (config.sharedStorage === undefined) return [];
  const { registerHost } = await import('./wire/shared-storage.ts');
  return [await registerHost(config, config.sharedStorage)];
}

/** Tries each rule on the object as the agent of that node would. */
export async function tryRules(about: Pick<Config, 'nodeName' | 'subdirectoryName'> & Pick<Config['sources'], 'rules'>, object: unknown) {
  const { tryRules: tryRulesOn } = await import('./sources/rule-trial.ts');
  return tryRulesOn(about.rules, about.nodeName, object).map((trial) => {
    const { byDigest, byName } = collectReferences(trial.workload === undefined ? [] : [trial.workload], about.subdirectoryName);
    return { ...trial, baseFiles: [...byDigest.keys(), ...byName.keys()] };
  });
}

/** The hosts that share the instances directory, and what is wrong with their registry. */
export async function listHosts(config: Config): Promise<ListedHosts> {
  const { listRegisteredHosts } = await import('./wire/shared-storage.ts');
  return listRegisteredHosts(config);
}

/** Removes a host from the registry; resolves with why it could not, if so. */
export async function forgetHost(config: Config, host: string): Promise<string | undefined> {
  const { storageRegistry } = await import('./wire/shared-storage.ts');
  return storageRegistry(config).forget(host);
}

export interface WiredAgent {
  /** Serves and runs passes until the signal aborts. Throws when the HTTP address cannot be had. */
  run(signal: AbortSignal): Promise<void>;
}

export async function createAgent(config: Config, parts: { readonly logger: Logger }): Promise<WiredAgent> {
  const { wireAgent } = await import('./wire/agent.ts');
  return wireAgent(config, parts);
}

/** What a pass on this machine works with: the real scanners and the real executor. */
export function passParts(
  config: Config,
  sources: readonly WorkloadSource[],
  clock: Clock = systemClock,
  checksums?: ChecksumRecords,
): PassParts {
  const { instancesPath, subdirectoryName, locksPath, policy } = config;
  // Where nobody gave another path, headers may also name what the instances path resolves to.
  const hostInstancesPath = config.hostInstancesPath === instancesPath ? undefined : config.hostInstancesPath;
  const locker = createFileLocker({ locksPath });
  return {
    node: config.nodeName,
    policy,
    basePath: config.basePath,
    baseDirectoryName: subdirectoryName,
    sources,
    scanner: createBaseScanner({ instancesPath, subdirectoryName, naming: policy.naming, clock }),
    verifier: config.verify.enabled ? createBaseVerifier({ instancesPath, ...policy, checksums, clock }) : undefined,
    overlays: createOverlayScanner({ instancesPath, subdirectoryName, locksPath, hostInstancesPath, overlays: policy.overlays, clock }),
    executor: createExecutor({ locker, directories: createBaseDirectoryOpener(), clock, policy }),
    clock,
  };
}

async function untilListed(sources: readonly WorkloadSource[], signal: AbortSignal | undefined): Promise<void> {
  const giveUpMs = systemClock.now().monotonicMs + SYNC_WAIT_MS;
  const isListed = async (): Promise<boolean> => (await readAll(sources, signal)).every(({ status }) => status.state !== 'syncing');
  while (!(await isListed()) && systemClock.now().monotonicMs < giveUpMs) {
    if (signal?.aborted === true) return;
    await sleep(SYNC_POLL_MS, signal);
  }
}
