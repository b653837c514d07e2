import type { Config } from '../config/types.ts';
import type { NodeCleanup } from '../fleet/cleanup.ts';
import type { Report, Stage } from '../model/report.ts';
import type { Outcome } from '../model/reasons.ts';
import type { LedgerAudit, NotedEnd } from '../model/ledger/audit.ts';
import type { HistoryQuery, HistoryReading } from '../model/ledger/history.ts';
import type { Logger } from '../model/ports.ts';
import type { Gap, Workload } from '../model/workload.ts';

export interface PassRun {
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** A pass with everything it works with; `close` ends watches and connections. */
export interface Pass {
  runPass(run: PassRun): Promise<Report>;
  close(): Promise<void>;
}

/** The agent with its HTTP server. */
export interface RunnableAgent {
  /** Serves and runs passes until the signal aborts. Throws when the HTTP address cannot be had. */
  run(signal: AbortSignal): Promise<void>;
}

/** A directory or file of ours that had to be there. */
export interface Prepared {
  readonly path: string;
  readonly made: boolean;
}

/** What one rule of the configuration makes of an object. */
export interface TriedRule {
  /** Of the source that the rule makes. */
  readonly source: string;
  readonly selected: boolean;
  /** Undefined when the object is not selected, or belongs to another node. */
  readonly workload: Workload | undefined;
  readonly gaps: readonly Gap[];
  /** What has several readings; all of them are kept. */
  readonly notices: readonly string[];
  /** What the workload keeps: names of base files, those of images without their resized variants. */
  readonly baseFiles: readonly string[];
}

/** A host of the registry; `member`: it counts. */
export interface ListedHost {
  readonly name: string;
  readonly state: 'own' | 'member' | 'stale' | 'ignored';
  /** RFC 3339; absent for this host while it is not registered. */
  readonly registeredAt?: string | undefined;
  readonly message?: string | undefined;
}

/** A file in the trash. */
export interface TrashListing {
  readonly entry: string;
  readonly trashedAtMs: number;
}

export interface RestoredFile {
  readonly outcome: Outcome | 'NotInTrash';
  /** Of the base file. */
  readonly name?: string | undefined;
  /** Why it was not restored. */
  readonly message?: string | undefined;
  /** Why the ledger has no record of it. */
  readonly unrecorded?: string | undefined;
}

/** A ledger that is open for reading. */
export interface LedgerReading {
  readonly directory: string;
  /** Reads every record; again where somebody wrote meanwhile. Throws where the directory cannot be read. */
  audit(noted: readonly NotedEnd[], signal: AbortSignal): Promise<LedgerAudit>;
  /** Oldest first. May be called again. */
  history(query: HistoryQuery): HistoryReading;
  close(): void;
}

/** What commands need from the composition root; tests hand in twins. */
export interface Wiring {
  createPass(config: Config): Promise<Pass>;
  /** What lies in the trash, newest first. Throws when that cannot be read. */
  listTrash(config: Config): Promise<readonly TrashListing[]>;
  /** Puts a file back from the trash: a base file's name, or one in the trash. Throws when the trash cannot be opened. */
  restoreFile(config: Config, wanted: string, signal: AbortSignal): Promise<RestoredFile>;
  /** Removes our annotations from every node. Throws when there is no cluster, or when its nodes cannot be listed. */
  cleanUpNodes(signal: AbortSignal): Promise<NodeCleanup>;
  /** Makes the base and the lock directory where they are missing, for the owner of the directory above. Throws when one cannot be had. */
  prepareDirectories(config: Config): readonly Prepared[];
  /** Where the directory is shared: registers this host, which makes the registry. Throws when it cannot be registered. */
  prepareRegistry(config: Config): Promise<readonly Prepared[]>;
  /** Tries each rule on the object as the agent of that node would. */
  tryRules(
    about: { readonly rules: Config['sources']['rules']; readonly nodeName: string; readonly subdirectoryName: string },
    object: unknown,
  ): Promise<readonly TriedRule[]>;
  /** The hosts that share the instances directory, and what is wrong with their registry. */
  listHosts(config: Config): Promise<{ readonly hosts: readonly ListedHost[]; readonly problem?: string | undefined }>;
  /** Removes a host from the registry; resolves with why it could not, if so. */
  forgetHost(config: Config, host: string): Promise<string | undefined>;
  /** The ledger of this host, or the one in a directory. Throws where there is none, or where it cannot be opened. */
  openLedger(source: { readonly config: Config } | { readonly directory: string }): Promise<LedgerReading>;
  /** Throws when a cluster is needed and no kubeconfig can be had. */
  createAgent(config: Config, parts: { readonly logger: Logger }): Promise<RunnableAgent>;
}
