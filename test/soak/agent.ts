import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryBytes } from '../../bench/lib/proc.ts';

const ERROR_LEVELS: ReadonlySet<string | undefined> = new Set(['error', 'fatal']);
const KEPT_LINES = 20;

export interface Sample {
  /** Of the process that it was taken of. */
  readonly pid: number;
  readonly atMs: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly result?: string;
  readonly outcome?: string;
  readonly held?: readonly string[];
}

/** The shipped agent as a process, and what it says and takes. */
export class AgentProcess {
  readonly samples: Sample[] = [];
  readonly passes: Record<string, number> = {};
  readonly outcomes: Record<string, number> = {};
  readonly heldBy: Record<string, number> = {};
  /** Errors in the log, lines that do not belong to a log, and ends that nobody asked for. */
  readonly problems: string[] = [];
  starts = 0;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #isWanted = false;

  constructor(configPath: string, kubeconfigPath: string) {
    this.#args = [resolve('dist/basekeeper.js'), 'agent', '--config', configPath];
    this.#env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', KUBECONFIG: kubeconfigPath };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#isWanted = true;
    this.starts++;
    const child = spawn(process.execPath, this.#args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    child.once('exit', (code, signal) => {
      if (this.#isWanted && this.#child === child) this.#problem(`the agent ended by itself (${signal ?? code})`);
    });
  }

  /** As the kernel does when memory is short. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As a rolling update does; anyone who is still there after 30 s is in difficulty. */
  async stop(): Promise<void> {
    const code = await this.#end('SIGTERM');
    if (code !== undefined && code !== 0) this.#problem(`the agent ended with ${code} after SIGTERM`);
  }

  /** All its threads stand still for a while. */
  async freeze(milliseconds: number): Promise<void> {
    const child = this.#child;
    child?.kill('SIGSTOP');
    await sleep(milliseconds);
    child?.kill('SIGCONT');
  }

  sample(): void {
    const pid = this.pid;
    if (pid === undefined || !this.#isWanted) return;
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`).length;
      this.samples.push({ pid, atMs: performance.now(), residentBytes: memoryBytes(pid, 'VmRSS'), descriptors });
    } catch {
      // It is just ending; its exit is noticed elsewhere.
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number | string | undefined> {
    const child = this.#child;
    this.#isWanted = false;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return undefined;
    const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
    child.kill('SIGCONT');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    const [code, killedBy] = await exit;
    clearTimeout(timer);
    return killedBy ?? code ?? undefined;
  }

  #hear(text: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      // Warnings of Node.js, stack traces: an agent logs JSON and nothing else.
      this.#problem(text);
      return;
    }
    // A pass that is stopped on its way says that it failed; stopped it is by us.
    if (line.result === 'Failed' && !this.#isWanted) return;
    if (ERROR_LEVELS.has(line.level)) this.#problem(text);
    if (line.result !== undefined) count(this.passes, line.result);
    if (line.outcome !== undefined) count(this.outcomes, line.outcome);
    for (const reason of line.held ?? []) count(this.heldBy, reason);
  }

  #problem(text: string): void {
    if (this.problems.length < KEPT_LINES) this.problems.push(text.slice(0, 2000));
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
