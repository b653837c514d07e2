import type { StorageHost } from '../model/shared-storage.ts';
import type { HostReport } from '../model/host-report.ts';
import type { KnownReport } from './reduce-report.ts';

/** A host's clock, and a file server's, may be this far from ours. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Agents report every few seconds. No file that may be removed is younger than the minimum age floor, so what is missing in a report of this age touched it later. */
export const REPORT_FRESH_MS = 120_000;

const NODE_NAME = '$(NODE_NAME)';

/** How hosts are recognised; `SharedStorageConfig` of the configuration. */
export interface HostRules {
  /** What this host is registered as. */
  readonly hostName: string;
  /** The same before `$(NODE_NAME)` was replaced. */
  readonly hostNamePattern: string;
  readonly hostTimeoutSeconds: number;
  readonly staleHosts: 'hold' | 'ignore';
  /** How long hosts have, from the first registration on, to register. */
  readonly settleSeconds: number;
  readonly ignoredHosts: readonly string[];
}

/** `member`: it counts, and is not this host. */
export interface RegisteredHost extends Omit<StorageHost, 'state'> {
  readonly state: 'own' | 'member' | 'stale' | 'ignored';
}

/**
 * Who of the registered hosts counts (Nova's `get_storage_users`), ourselves first. As in Nova, a registration counts for less than
 * `hostTimeoutSeconds`, and one that is dated in the future counts.
 */
export function classifyHosts(registered: ReadonlyMap<string, number>, rules: HostRules, nowMs: number): readonly RegisteredHost[] {
  const { hostName } = rules;
  const others = [...registered].filter(([name]) => name !== hostName).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const own = { name: hostName, state: 'own', registeredAtMs: registered.get(hostName) } as const;
  return [own, ...others.map(([name, registeredAtMs]) => ({ name, registeredAtMs, ...stateOf(name, registeredAtMs, rules, nowMs) }))];
}

function stateOf(name: string, registeredAtMs: number, rules: HostRules, nowMs: number): Pick<RegisteredHost, 'state' | 'message'> {
  const { hostTimeoutSeconds, staleHosts, ignoredHosts } = rules;
  if (ignoredHosts.includes(name)) return { state: 'ignored', message: 'sharedStorage.ignoredHosts names it' };
  const ageSeconds = (nowMs - registeredAtMs) / 1000;
  if (ageSeconds < hostTimeoutSeconds) return { state: 'member' };
  const message = `it has not registered for ${Math.floor(ageSeconds)} s`;
  if (staleHosts === 'ignore') return { state: 'ignored', message };
  return {
    state: 'stale',
    message: `${message}: start its agent or nova-compute, or, where it is gone for good, run basekeeper hosts --forget`,
  };
}

/** Why there may be hosts that have not registered yet. The first agent of a directory would otherwise believe to be alone. */
export function whyUnsettled(sinceMs: number | undefined, settleSeconds: number, nowMs: number): string | undefined {
  if (settleSeconds === 0) return undefined;
  if (sinceMs === undefined)
    return `no agent has registered yet; removals begin ${settleSeconds} s after the first (sharedStorage.settleSeconds)`;
  const restSeconds = Math.ceil((sinceMs - nowMs) / 1000 + settleSeconds);
  if (restSeconds <= 0) return undefined;
  return `the first agent registered only a while ago, and others may follow; removals begin in ${restSeconds} s (sharedStorage.settleSeconds)`;
}

/** The node of a host, by the pattern that gives hosts their names; undefined where no node can have that name. */
export function nodeOfHost(host: string, pattern: string): string | undefined {
  const [before = '', ...rest] = pattern.split(NODE_NAME);
  const after = rest.at(-1) ?? '';
  const node = host.slice(before.length, host.length - after.length);
  return isNodeName(node) && pattern.replaceAll(NODE_NAME, node) === host ? node : undefined;
}

function isNodeName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name);
}

type ReportFacts = Pick<HostReport, 'takenAtMs' | 'onlyByReport' | 'incomplete'>;

/** A host's report as it was found: `problem` says why there is none. */
export type FoundReport<T = KnownReport> =
  | { readonly report: T; readonly problem?: undefined }
  | { readonly report?: undefined; readonly problem: string };

/** What the API shows of the pods and VMIs of a host's node. */
export interface NodeEvidence {
  readonly state: 'synced' | 'syncing' | 'failed';
  readonly message?: string | undefined;
}

export interface Judgement {
  readonly state: 'known' | 'unknown' | 'syncing';
  readonly message: string;
  /** The report is part of what it is known by. */
  readonly byReport: boolean;
}

/**
 * Whether everything that runs on a host is known: by its own report, which covers all of its sources, or by the API, where nothing else
 * is asked for workloads on this host and on that one.
 */
export function judgeHost(found: FoundReport<ReportFacts>, node: NodeEvidence, needsReports: boolean, nowMs: number): Judgement {
  const problem = reportProblem(found, nowMs);
  const { report } = found;
  const isFresh = report !== undefined && ageProblem(report, nowMs) === undefined;
  // What a host says about itself while it runs counts, whatever the API says.
  if (isFresh && problem !== undefined) return { state: 'unknown', message: problem, byReport: false };
  const apiIsEnough = !needsReports && report?.onlyByReport !== true;
  if (apiIsEnough && node.state === 'synced') return { state: 'known', message: 'by the pods and VMIs of its node', byReport: false };
  if (problem === undefined) return { state: 'known', message: 'by its report', byReport: true };
  if (apiIsEnough && node.state === 'syncing')
    return { state: 'syncing', message: node.message ?? 'its node is being listed', byReport: false };
  const message = apiIsEnough ? `${node.message ?? 'its node cannot be asked'}, and ${problem}` : problem;
  return { state: 'unknown', message, byReport: false };
}

function reportProblem(found: FoundReport<ReportFacts>, nowMs: number): string | undefined {
  if (found.report === undefined) return found.problem;
  const { incomplete } = found.report;
  if (incomplete.length > 0) return `its own evidence is incomplete: ${incomplete.slice(0, 2).join('; ')}`;
  return ageProblem(found.report, nowMs);
}

function ageProblem({ takenAtMs }: ReportFacts, nowMs: number): string | undefined {
  const ageMs = nowMs - takenAtMs;
  if (ageMs < -CLOCK_TOLERANCE_MS) return `its report lies ${Math.round(-ageMs / 1000)} s in the future: set the clocks`;
  if (ageMs <= REPORT_FRESH_MS) return undefined;
  return `its last report is ${Math.round(ageMs / 1000)} s old: is its agent running, and are the clocks in step?`;
}
