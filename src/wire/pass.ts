import { hostname } from 'node:os';
import type { Config } from '../config/types.ts';
import { createBaseDirectoryOpener } from '../disk/base-directory.ts';
import { networkFilesystemOf } from '../disk/network-filesystem.ts';
import { pathMatcher } from '../lib/patterns/path-glob.ts';
import { createFileLocker } from '../disk/locks/nova-lock.ts';
import { openFilesLimit } from '../disk/descriptor-limit.ts';
import { batchSizeFor } from '../execute/batches.ts';
import { createExecutor } from '../execute/executor.ts';
import { VERSION } from '../lib/version.ts';
import { systemClock } from '../lib/clock.ts';
import { untilSynced } from '../lib/until-synced.ts';
import type { RemovalLedger } from '../model/ledger/recorder.ts';
import type { Intent } from '../model/ledger/records.ts';
import type { ChecksumRecords, Clock, Logger, Surroundings, WorkloadSource } from '../model/ports.ts';
import { createOverlayScanner } from '../overlays/overlay-scanner.ts';
import { runPass, type PassParts } from '../pass/pass.ts';
import { createBaseScanner } from '../scan/base-scanner.ts';
import type { ServerTime } from '../surroundings/server-clock.ts';
import { createSurroundings } from '../surroundings/surroundings.ts';
import { createBaseVerifier } from '../verify/verifier.ts';
import { asksCluster } from '../config/source-kinds.ts';
import { connect, createEvidence } from './sources.ts';
import type { Pass } from './wiring.ts';

/** How long a single pass waits for its sources to be listed before it goes on with a closed gate. */
const SYNC_WAIT_MS = 30_000;
/** A command says what is wrong in its result. */
const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** What the result cannot say, where the process is killed before there is one. */
const STDERR: Logger = { ...SILENT, warn: (fields, message) => console.error(`${message} ${JSON.stringify(fields)}`) };

/** Throws when a cluster is needed and no kubeconfig can be had. */
export async function createPass(config: Config): Promise<Pass> {
  const cluster = asksCluster(config.sources) ? await connect(config, undefined) : undefined;
  const { sources, membership } = await createEvidence(config, cluster, SILENT);
  const parts = passParts(config, sources, systemClock, { serverTime: () => cluster?.client.serverTime?.(), comparesFiles: true });
  for (const source of sources) source.start();
  return {
    async runPass(options) {
      if (!options.dryRun) await membership?.register(options.signal);
      await untilSynced({ sources, waitMs: SYNC_WAIT_MS, clock: systemClock, signal: options.signal });
      return runPass(parts, { asked: { by: 'command', uid: process.getuid?.() ?? 0 }, ...options });
    },
    async close() {
      await Promise.all(sources.map((source) => source.stop()));
      cluster?.client.close();
    },
  };
}

export interface PassExtras {
  readonly checksums?: ChecksumRecords | undefined;
  /** Of the API server; undefined where none is asked. */
  readonly serverTime?: (() => ServerTime | undefined) | undefined;
  /** Whether the clock is that of files that are made now. Default false. */
  readonly comparesFiles?: boolean | undefined;
  /** Of what cannot be said anywhere else. Default: warnings, to standard error. */
  readonly logger?: Logger | undefined;
}

/** What a pass on this machine works with: the real scanners and the real executor. */
export function passParts(
  config: Config,
  sources: readonly WorkloadSource[],
  clock: Clock = systemClock,
  { checksums, ...extras }: PassExtras = {},
): PassParts {
  const { instancesPath, subdirectoryName, locksPath, policy } = config;
  const locker = createFileLocker({ locksPath });
  const overlays = overlayScannerOf(config, clock);
  return {
    node: config.nodeName,
    policy,
    basePath: config.basePath,
    baseDirectoryName: subdirectoryName,
    sources,
    scanner: createBaseScanner({
      instancesPath,
      subdirectoryName,
      locksPath,
      naming: policy.naming,
      isKnownRaw: overlays.isKnownRaw,
      countsFootprint: policy.budget !== undefined,
      clock,
    }),
    verifier: config.verify.enabled ? createBaseVerifier({ instancesPath, ...policy, checksums, clock }) : undefined,
    overlays,
    executor: createExecutor({
      locker,
      directories: createBaseDirectoryOpener(),
      clock,
      policy,
      batchSize: batchSizeFor(openFilesLimit()),
    }),
    ledger: config.ledger.enabled ? ledgerOf(config, clock, extras.logger) : undefined,
    surroundings: surroundingsOf(config, clock, extras),
    clock,
  };
}

/** Read from the bundle by the first pass that may remove files. */
export function ledgerOf({ ledger, locksPath }: Config, clock: Clock, logger: Logger = STDERR): RemovalLedger {
  let opened: RemovalLedger | undefined;
  const onUnrecorded = (intent: Intent, why: string) =>
    logger.warn({ ...intent, why }, 'A file goes without a record, to make room for one: the file system is full.');
  return {
    async begin(pass) {
      const { createLedger } = await import('../ledger/ledger.ts');
      opened ??= createLedger({ ...ledger, locksPath, clock, version: VERSION, onUnrecorded });
      return opened.begin(pass);
    },
  };
}

function overlayScannerOf({ instancesPath, subdirectoryName, locksPath, hostInstancesPath, policy }: Config, clock: Clock) {
  return createOverlayScanner({
    ...policy,
    instancesPath,
    subdirectoryName,
    locksPath,
    // Where nobody gave another path, headers may also name what the instances path resolves to.
    hostInstancesPath: hostInstancesPath === instancesPath ? undefined : hostInstancesPath,
    isIgnored: pathMatcher(policy.ignore),
    opensAnew: networkFilesystemOf(instancesPath) !== undefined,
    clock,
  });
}

function surroundingsOf(config: Config, clock: Clock, { serverTime, comparesFiles = false }: PassExtras): Surroundings {
  const { instancesPath, basePath, locksPath, undeclared, nodeName } = config;
  const ownNames = undeclared === undefined ? [] : [undeclared.hostName, nodeName, hostname()];
  const alone = undeclared === undefined ? undefined : { ...undeclared, ownNames };
  return createSurroundings({ instancesPath, basePath, locksPath, alone, clock, comparesFiles, serverTime: () => serverTime?.() });
}
