import { sleep } from '../lib/sleep.ts';
import type { Clock, StorageRegistry, WorkloadSource } from '../model/ports.ts';
import type { SharedStorage, StorageHost } from '../model/shared-storage.ts';
import type { Gap, Pin, SourceReading, SourceStatus, Workload } from '../model/workload.ts';
import type { HostWatches, NodesReading } from './host-watches.ts';
import {
  classifyHosts,
  judgeHost,
  nodeOfHost,
  whyUnsettled,
  type FoundReport,
  type HostRules,
  type Judgement,
  type NodeEvidence,
} from './hosts.ts';
import { SHARED_STORAGE_SOURCE, type ReportView } from './reduce-report.ts';
import { ReportFiles } from './report-files.ts';
import { earliest } from '../sources/status.ts';

/** What was just read is fresh. */
const FRESH_LIMIT_MS = 60_000;
/** How long a pass waits for reports that were made after it began, and how often it looks. */
const REPORT_WAIT_MS = 45_000;
const REPORT_POLL_MS = [25, 500] as const;

export interface SharedStorageOptions extends HostRules, ReportView {
  readonly instancesPath: string;
  readonly locksPath: string;
  readonly registry: StorageRegistry;
  /** This host has sources that the API does not show, so that others are expected to have them as well. */
  readonly needsReports: boolean;
  /** Undefined: no cluster is asked. */
  readonly watches?: HostWatches | undefined;
  /** Why this host could not be registered, if so. */
  readonly registrationProblem: () => string | undefined;
  readonly clock: Clock;
}

/** The workloads of all other hosts that share the instances directory, and who they are. */
export function createSharedStorageSource(options: SharedStorageOptions): WorkloadSource {
  return new SharedStorageSource(options);
}

/** A host that counts, with what is known of it. */
interface Member {
  readonly host: StorageHost;
  readonly found: FoundReport;
  readonly judged: Judgement;
  /** How often its report was seen to be another one. */
  readonly changes: number;
}

interface Seen {
  readonly startedMs: number;
  readonly hosts: readonly StorageHost[];
  readonly members: readonly Member[];
  readonly api: NodesReading;
  readonly problem: string | undefined;
  readonly unsettled: string | undefined;
  /** What was seen before reports were waited for. */
  readonly since?: Seen | undefined;
}

const NO_NODES: NodesReading = { nodes: new Map(), statuses: [], workloads: [], gaps: [], notes: [] };

class SharedStorageSource implements WorkloadSource {
  readonly name = SHARED_STORAGE_SOURCE;
  readonly #options: SharedStorageOptions;
  readonly #reports: ReportFiles;
  /** Workloads of the API keep their identity: what they name is not hashed again. */
  readonly #taken = new WeakMap<Workload, Workload>();

  constructor(options: SharedStorageOptions) {
    this.#options = options;
    this.#reports = new ReportFiles(options, options);
  }

  start(): void {}

  async stop(): Promise<void> {
    await this.#options.watches?.stop();
  }

  async read({ consistent, signal }: { consistent: boolean; signal?: AbortSignal | undefined }): Promise<SourceReading> {
    let seen = await this.#look(signal);
    if (consistent) {
      await this.#options.watches?.listConsistent(signal);
      seen = await this.#untilReported(seen, signal);
    }
    return this.#readingOf(seen);
  }

  async #look(signal: AbortSignal | undefined): Promise<Seen> {
    const { registry, registrationProblem, watches, hostNamePattern, clock } = this.#options;
    const startedMs = clock.now().wallMs;
    const { hosts: registered, sinceMs, problem } = await registry.read(signal);
    const hosts = classifyHosts(registered, this.#options, startedMs);
    const others = hosts.filter(({ state }) => state === 'member').map(({ name }) => name);
    watches?.follow(others.map((name) => nodeOfHost(name, hostNamePattern)).filter((node) => node !== undefined));
    const api = (await watches?.read()) ?? NO_NODES;
    const reports = this.#reports.read(others);
    const members = new Map([...reports].map(([name, found]) => [name, this.#member(name, registered.get(name), found, api)]));
    return {
      startedMs,
      hosts: hosts.map((host) =>
        host.state === 'member' ? { ...host, ...stateOf(members.get(host.name)) } : { ...host, state: host.state },
      ),
      members: [...members.values()],
      api,
      problem: problem ?? registrationProblem(),
      unsettled: problem === undefined ? whyUnsettled(sinceMs, this.#options.settleSeconds, startedMs) : undefined,
    };
  }

  /** Looks again until every report that counts was made after `before`: one that is older may miss what began in between. */
  async #untilReported(before: Seen, signal: AbortSignal | undefined): Promise<Seen> {
    const giveUpMs = this.#options.clock.now().monotonicMs + REPORT_WAIT_MS;
    let seen = await this.#look(signal);
    for (
      let pollMs: number = REPORT_POLL_MS[0];
      isBehind(seen, before) && this.#options.clock.now().monotonicMs < giveUpMs;
      pollMs = Math.min(2 * pollMs, REPORT_POLL_MS[1])
    ) {
      if (signal?.aborted === true) break;
      await sleep(pollMs, signal);
      seen = await this.#look(signal);
    }
    const hosts = isBehind(seen, before) ? seen.hosts.map((host) => silentSince(host, seen, before)) : seen.hosts;
    return { ...seen, hosts, since: before };
  }

  #member(name: string, registeredAtMs: number | undefined, found: FoundReport, { nodes }: NodesReading): Member {
    const { hostNamePattern, watches, needsReports, clock } = this.#options;
    const node = nodeOfHost(name, hostNamePattern);
    const judged = judgeHost(found, evidenceOf(node, nodes, watches !== undefined), needsReports, clock.now().wallMs);
    const state = judged.state === 'known' ? 'known' : 'unknown';
    return { host: { name, state, registeredAtMs, message: judged.message }, found, judged, changes: this.#reports.changesOf(name) };
  }

  #readingOf(seen: Seen): SourceReading {
    const sharedStorage: SharedStorage = { hosts: seen.hosts, problem: seen.problem, unsettled: seen.unsettled };
    const reports = seen.members.flatMap(({ found }) => (found.report === undefined ? [] : [found.report]));
    return {
      status: this.#statusOf(seen),
      workloads: [...seen.api.workloads.map((workload) => this.#take(workload)), ...reports.flatMap(({ workloads }) => workloads)],
      // Its own node's agent reports the object itself.
      gaps: seen.api.gaps.map((gap): Gap => ({ kind: gap.kind, source: SHARED_STORAGE_SOURCE, message: gap.message })),
      pins: reports.flatMap(({ host, pins }) => pins.map((pin): Pin => ({ ...pin, origin: `${pin.origin} of host ${host}` }))),
      sharedStorage,
    };
  }

  /** Events about another node's VM are that node's business. */
  #take(workload: Workload): Workload {
    const known = this.#taken.get(workload);
    if (known !== undefined) return known;
    const { object: _object, ...rest } = workload;
    const taken = { ...rest, source: SHARED_STORAGE_SOURCE, isElsewhere: true };
    this.#taken.set(workload, taken);
    return taken;
  }

  #statusOf({ startedMs, members, api, since }: Seen): SourceStatus {
    const nowMs = this.#options.clock.now().wallMs;
    const stale = api.statuses.find(({ lastContactMs, freshLimitMs }) => !(nowMs - (lastContactMs ?? Number.NaN) <= freshLimitMs));
    const synced = api.statuses.filter(({ state }) => state === 'synced');
    const syncing = members.find(({ judged }) => judged.state === 'syncing');
    // By its host's clock; one that was waited for is newer than the beginning of that, whatever its host's clock says.
    const byReport = members.flatMap((member) => {
      const { judged, found } = member;
      if (!judged.byReport || found.report === undefined || (since !== undefined && !isMemberBehind(member, since))) return [];
      return [found.report.takenAtMs];
    });
    return {
      name: SHARED_STORAGE_SOURCE,
      state: syncing === undefined ? 'synced' : 'syncing',
      lastContactMs: stale === undefined ? startedMs : stale.lastContactMs,
      freshLimitMs: stale?.freshLimitMs ?? FRESH_LIMIT_MS,
      consistentListAtMs: earliest([startedMs, ...byReport, ...synced.map(({ consistentListAtMs }) => consistentListAtMs)]),
      ...(syncing === undefined ? {} : { message: `host ${JSON.stringify(syncing.host.name)}: ${syncing.judged.message}` }),
    };
  }
}

function evidenceOf(node: string | undefined, nodes: NodesReading['nodes'], isAsked: boolean): NodeEvidence {
  if (!isAsked) return { state: 'failed', message: 'no cluster is asked for its workloads' };
  if (node === undefined) return { state: 'failed', message: 'no Node can have its name (see sharedStorage.hostName)' };
  return nodes.get(node) ?? { state: 'failed', message: 'too many hosts share the directory to watch all their nodes' };
}

function stateOf(member: Member | undefined): Pick<StorageHost, 'state' | 'message'> {
  return { state: member?.host.state ?? 'unknown', message: member?.host.message };
}

function isBehind({ members }: Seen, before: Seen): boolean {
  return members.some((member) => isMemberBehind(member, before));
}

/**
 * Whether the report that counts may have been made before we looked. A host makes one after the other: once its report was seen to change
 * twice, the second was begun after that. Where it was seen to change once, its time says the rest, if its clock and ours agree.
 */
function isMemberBehind({ host, judged, found, changes }: Member, before: Seen): boolean {
  if (!judged.byReport) return false;
  const known = before.members.find((member) => member.host.name === host.name);
  const changed = changes - (known?.changes ?? changes);
  return !(changed >= 2 || (changed >= 1 && (found.report?.takenAtMs ?? Number.NaN) >= before.startedMs));
}

function silentSince(host: StorageHost, { members }: Seen, before: Seen): StorageHost {
  const member = members.find((candidate) => candidate.host.name === host.name);
  if (member === undefined || !isMemberBehind(member, before)) return host;
  return { ...host, state: 'unknown', message: 'it has not reported since this pass began: is its agent running?' };
}
