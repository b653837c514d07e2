import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { runPass } from '../../src/pass/pass.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/logger.ts';
import type { Membership } from '../../src/shared-storage/membership.ts';
import type { Report } from '../../src/model/report.ts';
import type { WorkloadSource } from '../../src/model/ports.ts';
import type { Workload } from '../../src/model/workload.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { passParts } from '../../src/wire/pass.ts';
import { wireSharedStorage } from '../../src/wire/shared-storage.ts';
import { buildTree } from '../helpers/tree.ts';

const PYTHON = '/usr/bin/python3';
const THREE_DAYS_SECONDS = 3 * 86_400;

export interface ProcessRaceOptions {
  readonly writers: number;
  /** VMs that each writer creates and removes. */
  readonly rounds: number;
  readonly seed: number;
  /** The two Basekeepers are two hosts, each of which knows its own VMs only. Default false: they are on one. */
  readonly shared?: boolean;
  /** Removed files go to the trash, and from there at the next pass. */
  readonly trash?: boolean | undefined;
}

export interface ProcessRaceResult {
  readonly rounds: number;
  readonly passes: number;
  readonly removals: number;
  readonly emptied: number;
  readonly restored: number;
  /** VMs whose base file was still in the cache, and such as had to fetch it. */
  readonly reused: number;
  readonly fetched: number;
  /** A base file went between Nova's look at it and its touch: Nova's caller tries again, nothing is lost. */
  readonly retried: number;
  /** What must never happen. */
  readonly violations: readonly string[];
}

interface Message {
  readonly ask?: 'start' | 'age' | 'stop';
  readonly tell?: 'running' | 'lost' | 'retried' | 'spawn-failed' | 'done';
  readonly instance: string;
  readonly base: string;
  readonly image?: string | null;
  readonly how?: 'fetched' | 'reused';
  readonly when?: string;
}

/** Two Basekeepers without rest, among writers that are real processes with Nova's own locks and real qcow2 files. */
export async function raceAgainstProcesses(options: ProcessRaceOptions): Promise<ProcessRaceResult> {
  using tree = buildTree();
  mkdirSync(tree.path('locks'));
  const node = new Node(tree.instancesPath);
  const writers = Array.from({ length: options.writers }, (_, index) =>
    startWriter(node, tree.instancesPath, `writer${index}`, options.seed + index, options.rounds),
  );
  const stop = new AbortController();
  // As if both had been there for long: each must be heard before anything goes.
  const now = Date.now() / 1000;
  if (options.shared === true) writeFileSync(tree.path('compute_nodes'), JSON.stringify({ 'host-a': now, 'host-b': now }));
  const keepers = ['host-a', 'host-b'].map((name) => {
    const host = options.shared === true ? name : undefined;
    // Every second time, host-b touches nothing: what its VMs use is old, and host-a has nothing but its word for it.
    const trash = options.trash === true;
    return keep(node, { instancesPath: tree.instancesPath, host, trash, dryRun: host === 'host-b' && options.seed % 2 === 1 }, stop.signal);
  });
  try {
    await Promise.all(writers);
  } finally {
    stop.abort();
    await Promise.all(keepers);
  }
  return { rounds: options.writers * options.rounds, ...node.counts, violations: node.violations };
}

/** What the API would know, and the books that are kept. */
class Node {
  readonly instancesPath: string;
  readonly workloads = new Map<string, Workload>();
  readonly violations: string[] = [];
  readonly counts = { passes: 0, removals: 0, emptied: 0, restored: 0, reused: 0, fetched: 0, retried: 0 };
  /** Instance → base file of those who are between the API's knowledge and their overlay. */
  readonly #spawning = new Map<string, string>();

  constructor(instancesPath: string) {
    this.instancesPath = instancesPath;
  }

  hear(message: Message): void {
    const { ask, tell, instance, base } = message;
    if (ask === 'start') this.#start(message);
    if (ask === 'age') this.#age(base);
    if (ask === 'stop') this.workloads.delete(instance);
    if (tell === 'running') {
      this.#spawning.delete(instance);
      this.counts[message.how ?? 'reused']++;
    }
    if (tell === 'retried') this.counts.retried++;
    if (tell === 'lost') this.violations.push(`${instance} lost ${base} (${message.when})`);
    if (tell === 'spawn-failed') this.violations.push(`${base} vanished under the creation of ${instance}, which held its lock`);
  }

  #start({ instance, base, image }: Message): void {
    this.#spawning.set(instance, base);
    const images = image === null || image === undefined ? [] : [{ role: 'image', ref: image } as const];
    this.workloads.set(instance, {
      source: 'api',
      name: instance,
      instanceNames: [instance],
      resizing: false,
      images,
      swapMb: [],
      ephemeral: [],
      paths: [],
    });
  }

  /** Nobody is between touch and overlay for days: the fresh mtime is all that protects the file then. */
  #age(base: string): void {
    const path = join(this.instancesPath, '_base', base);
    const isBridged = [...this.#spawning.values()].includes(base);
    const seconds = Date.now() / 1000 - THREE_DAYS_SECONDS;
    if (!isBridged && existsSync(path)) utimesSync(path, seconds, seconds);
  }
}

async function startWriter(node: Node, instancesPath: string, name: string, seed: number, rounds: number): Promise<void> {
  const script = new URL('writer.py', import.meta.url).pathname;
  const child = spawn(PYTHON, [script, instancesPath, name, String(seed), String(rounds)], { stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Message;
    node.hear(message);
    if (message.ask !== undefined) answer(child);
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) node.violations.push(`${name} ended with code ${code}`);
}

function answer(child: ChildProcess): void {
  child.stdin?.write('\n');
}

interface Keeper {
  readonly instancesPath: string;
  readonly host: string | undefined;
  readonly trash: boolean;
  readonly dryRun: boolean;
}

async function keep(node: Node, { instancesPath, host, trash, dryRun }: Keeper, stop: AbortSignal): Promise<void> {
  const config = configOf(instancesPath, host, trash);
  const { sources, membership } = evidenceOf(node, config, host);
  const parts = passParts(config, sources);
  membership?.start();
  while (!stop.aborted) {
    await membership?.register();
    const before = new Map(node.workloads);
    const report = await runPass(parts, { dryRun });
    node.counts.passes++;
    const { trashedFiles = 0, emptiedFiles = 0, restoredFiles = 0 } = report.trash?.totals ?? {};
    node.counts.removals += report.totals.removedFiles + trashedFiles;
    node.counts.emptied += emptiedFiles;
    node.counts.restored += restoredFiles;
    if (report.result === 'Failed') node.violations.push(`a pass failed: ${report.message}`);
    node.violations.push(...removedThoughNamed(report, node, before));
    await sleep(1);
  }
  await membership?.stop();
}

/** VMs that were there before the pass and after it, whose image's file it has removed anyway. */
function removedThoughNamed(report: Report, node: Node, before: ReadonlyMap<string, Workload>): string[] {
  const removed = new Set<string>();
  for (const { name, outcome } of report.files) if (outcome === 'removed' || outcome === 'trashed') removed.add(name);
  return [...before.values()]
    .filter(
      (workload) => node.workloads.get(workload.name) === workload && workload.images.some(({ ref }) => removed.has(cacheFileName(ref))),
    )
    .map(({ name }) => `the file of ${name} was removed, although its host knew that it uses it`);
}

function evidenceOf(node: Node, config: Config, host: string | undefined): { sources: readonly WorkloadSource[]; membership?: Membership } {
  const own = sourceOf(node, host);
  if (config.sharedStorage === undefined) return { sources: [own] };
  const logger = createLogger({ level: 'error' });
  const parts = { cluster: undefined, sources: [own], clock: systemClock, logger, reportIntervalMs: 20 };
  const { source, membership } = wireSharedStorage(config, config.sharedStorage, parts);
  return { sources: [own, source], membership };
}

function configOf(instancesPath: string, host: string | undefined, enabled: boolean): Config {
  const sharedStorage = host === undefined ? {} : { sharedStorage: { enabled: true, settleSeconds: 0 } };
  const text = JSON.stringify({
    nodeName: host ?? 'node-a',
    instancesPath,
    allowEmptyInventory: true,
    maxRemovalsPerPass: 0,
    lockTimeoutSeconds: 1,
    trash: { enabled, graceSeconds: 0 },
    ...sharedStorage,
  });
  const { config, errors } = loadConfig({ text });
  if (config === undefined) throw new Error(errors.map(({ message }) => message).join('; '));
  return config;
}

/** Of all VMs, or of those of one host: writers with even numbers are on host-a. */
function sourceOf(node: Node, host: string | undefined): WorkloadSource {
  const isHere = ({ name }: Workload): boolean => host === undefined || (Number(/\d+/.exec(name)?.[0]) % 2 === 0) === (host === 'host-a');
  return {
    name: 'api',
    start: () => {},
    stop: async () => {},
    read: async () => {
      const nowMs = Date.now();
      const status = { name: 'api', state: 'synced', lastContactMs: nowMs, freshLimitMs: 60_000, consistentListAtMs: nowMs } as const;
      return { status, workloads: [...node.workloads.values()].filter(isHere), gaps: [] };
    },
  };
}
