import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../hostile/random.ts';
import type { Api } from './api.ts';
import type { Need, Referee } from './referee.ts';
import type { Vms } from './vms.ts';

const ENDLESS = 1_000_000_000;
/** Between two instances of a writer, at most. */
const REST_MS = 3000;

interface Message {
  readonly ask?: 'start' | 'age' | 'stop';
  readonly tell?: 'running' | 'lost' | 'retried' | 'spawn-failed' | 'done';
  readonly instance: string;
  readonly base: string;
  readonly image?: string | null;
  readonly when?: string;
}

export interface WritersParts {
  readonly instancesPath: string;
  readonly api: Api;
  readonly referee: Referee;
  readonly vms: Vms;
  readonly random: Random;
}

/** Processes that use the cache with Nova's own locks and real qcow2 files (test/races/writer.py); what they ask for happens in a real API. */
export class Writers {
  readonly counts = { running: 0, retried: 0 };
  readonly #parts: WritersParts;
  readonly #children = new Set<ChildProcess>();
  /** Instance → how to say that it is no longer between the API's knowledge and its overlay. */
  readonly #spawned = new Map<string, () => void>();
  readonly #needs = new Map<string, Need>();
  #stopping = false;

  constructor(parts: WritersParts) {
    this.#parts = parts;
  }

  start(count: number, seed: number): void {
    const script = new URL('../races/writer.py', import.meta.url).pathname;
    for (let index = 0; index < count; index++) {
      const args = [script, this.#parts.instancesPath, `writer${index}`, String(seed + index), String(ENDLESS)];
      const child = spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
      this.#children.add(child);
      child.stdin.on('error', () => {});
      createInterface({ input: child.stdout }).on('line', (line) => void this.#hear(child, JSON.parse(line) as Message));
      child.once('exit', (code) => {
        this.#children.delete(child);
        if (!this.#stopping) this.#parts.referee.violations.push(`writer${index} ended with code ${code}`);
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      [...this.#children].map(async (child) => {
        const exit = once(child, 'exit');
        // It ends at its next question.
        child.stdin?.end();
        const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await exit;
        clearTimeout(timer);
      }),
    );
  }

  async #hear(child: ChildProcess, message: Message): Promise<void> {
    try {
      await this.#act(message);
      if (message.ask !== undefined && !this.#stopping) child.stdin?.write('\n');
    } catch (error) {
      this.#parts.referee.violations.push(`the soak itself failed: ${String(error)}`);
    }
  }

  async #act({ ask, tell, instance, base, image, when }: Message): Promise<void> {
    const { api, referee, vms, random } = this.#parts;
    if (ask === 'start') {
      await sleep(random.below(REST_MS));
      void vms.spawning(base, () => new Promise<void>((resolve) => this.#spawned.set(instance, resolve)));
      await api.create('pod', instance, { 'basekeeper.io/image-ref': image ?? '', 'basekeeper.io/instance': instance });
    }
    if (ask === 'age') vms.age(base);
    if (ask === 'stop') {
      this.#release(instance);
      await api.delete('pod', instance);
    }
    if (tell === 'running') this.#running(instance, base);
    if (tell === 'retried') this.counts.retried++;
    if (tell === 'lost') referee.violations.push(`${instance} lost ${base} (${when})`);
    if (tell === 'spawn-failed') referee.violations.push(`${base} vanished under the creation of ${instance}, which held its lock`);
  }

  #running(instance: string, base: string): void {
    this.counts.running++;
    this.#spawned.get(instance)?.();
    this.#spawned.delete(instance);
    const overlay = join(this.#parts.instancesPath, instance, 'disk');
    const need: Need = { who: `the overlay of ${instance}`, base, stands: () => existsSync(overlay) };
    if (this.#parts.referee.protect(need)) this.#needs.set(instance, need);
  }

  #release(instance: string): void {
    const need = this.#needs.get(instance);
    if (need !== undefined) this.#parts.referee.release(need);
    this.#needs.delete(instance);
  }
}
