import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { runPass } from '../../src/cycle.ts';
import type { WorkloadSource } from '../../src/model/ports.ts';
import type { Workload } from '../../src/model/workload.ts';
import { passParts } from '../../src/wire.ts';
import { buildTree } from '../helpers/tree.ts';

const PYTHON = '/usr/bin/python3';
const THREE_DAYS_SECONDS = 3 * 86_400;

export interface ProcessRaceOptions {
  readonly writers: number;
  /** VMs that each writer creates and removes. */
  readonly rounds: number;
  readonly seed: number;
}

export interface ProcessRaceResult {
  readonly rounds: number;
  readonly passes: number;
  readonly removals: number;
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
  const keepers = [keep(node, tree.instancesPath, stop.signal), keep(node, tree.instancesPath, stop.signal)];
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
  readonly counts = { passes: 0, removals: 0, reused: 0, fetched: 0, retried: 0 };
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

async function keep(node: Node, instancesPath: string, stop: AbortSignal): Promise<void> {
  const config = configOf(instancesPath);
  const parts = passParts(config, [sourceOf(node)]);
  while (!stop.aborted) {
    const report = await runPass(parts, { dryRun: false });
    node.counts.passes++;
    node.counts.removals += report.totals.removedFiles;
    if (report.result === 'Failed') node.violations.push(`a pass failed: ${report.message}`);
    await sleep(1);
  }
}

function configOf(instancesPath: string): Config {
  const text = JSON.stringify({ nodeName: 'node-a', instancesPath, allowEmptyInventory: true, lockTimeoutSeconds: 1 });
  const { config, errors } = loadConfig({ text });
  if (config === undefined) throw new Error(errors.map(({ message }) => message).join('; '));
  return config;
}

function sourceOf(node: Node): WorkloadSource {
  return {
    name: 'api',
    start: () => {},
    stop: async () => {},
    read: async () => {
      const nowMs = Date.now();
      const status = { name: 'api', state: 'synced', lastContactMs: nowMs, freshLimitMs: 60_000, consistentListAtMs: nowMs } as const;
      return { status, workloads: [...node.workloads.values()], gaps: [] };
    },
  };
}
