import { createBaseDirectoryOpener } from '../disk/base-directory.ts';
import { createFileLocker } from '../disk/locks/nova-lock.ts';
import { ensureOwnedDirectory } from '../disk/owned-directory.ts';
import { systemClock } from '../lib/clock.ts';
import { ambiguityOf, isPlain } from '../lib/image-reference.ts';
import { collectReferences } from '../references/collect.ts';
import { ledgerOf } from './pass.ts';
import type { Wiring } from './wiring.ts';

export { createPass } from './pass.ts';

// What the wiring interface promises; what only some commands need is imported where it is needed: the others do not even read
// it from the bundle.

export const listTrash: Wiring['listTrash'] = async ({ basePath }) => {
  const trash = await import('../execute/trash/restore.ts');
  return trash.listTrash({ directories: createBaseDirectoryOpener(), basePath });
};

export const restoreFile: Wiring['restoreFile'] = async (config, wanted, signal) => {
  const { basePath, locksPath, policy, preset, nodeName: node, ledger } = config;
  const trash = await import('../execute/trash/restore.ts');
  const { classify } = await import('../scan/classify.ts');
  const pass = { asked: { by: 'command', uid: process.getuid?.() ?? 0 }, node, preset, basePath } as const;
  const beginRecord = ledger.enabled ? () => ledgerOf(config, systemClock).begin(pass) : undefined;
  const kindOf = (name: string) => classify(name, policy.naming);
  const parts = { locker: createFileLocker({ locksPath }), directories: createBaseDirectoryOpener(), clock: systemClock };
  const { lockTimeoutSeconds } = policy;
  const about = { ...parts, basePath, lockTimeoutSeconds, kindOf, beginRecord };
  const { outcome, entry, message, unrecorded } = await trash.restoreFile(about, wanted, signal);
  return { outcome, name: entry?.name, message, unrecorded };
};

export const cleanUpNodes: Wiring['cleanUpNodes'] = async (signal) => {
  const { wireNodeCleanup } = await import('./cluster.ts');
  return wireNodeCleanup(signal);
};

export const prepareDirectories: Wiring['prepareDirectories'] = ({ basePath, locksPath }) =>
  [basePath, locksPath].map((path) => ({ path, made: ensureOwnedDirectory(path) }));

export const prepareRegistry: Wiring['prepareRegistry'] = async (config) => {
  if (config.sharedStorage === undefined) return [];
  const { registerHost } = await import('./shared-storage.ts');
  return [await registerHost(config, config.sharedStorage)];
};

export const tryRules: Wiring['tryRules'] = async ({ rules, nodeName, subdirectoryName }, object) => {
  const trials = await import('../sources/rules/trial.ts');
  return trials.tryRules(rules, nodeName, object).map((trial) => {
    const { byDigest, byName } = collectReferences(trial.workload === undefined ? [] : [trial.workload], subdirectoryName);
    const notices = (trial.workload?.images ?? []).filter(({ ref }) => !isPlain(ref)).map(({ ref }) => ambiguityOf(ref));
    return { ...trial, notices, baseFiles: [...byDigest.keys(), ...byName.keys()] };
  });
};

export const listHosts: Wiring['listHosts'] = async (config) => {
  const { listRegisteredHosts } = await import('./shared-storage.ts');
  return listRegisteredHosts(config);
};

export const forgetHost: Wiring['forgetHost'] = async (config, host) => {
  const { storageRegistry } = await import('./shared-storage.ts');
  return storageRegistry(config).forget(host);
};

export const openLedger: Wiring['openLedger'] = async (source) => {
  const { readLedger } = await import('./ledger-reading.ts');
  return readLedger(source);
};

export const createAgent: Wiring['createAgent'] = async (config, parts) => {
  const { wireAgent } = await import('./agent.ts');
  return wireAgent(config, parts);
};
