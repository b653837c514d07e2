import pLimit from 'p-limit';
import { orAborted } from '../../lib/or-aborted.ts';
import { sleep as sleepFor } from '../../lib/sleep.ts';
import { KubeApiError } from '../errors.ts';
import { backoffMs } from '../retry.ts';
import { listObjects } from './list.ts';
import { ObjectStore } from './object-store.ts';
import { createReconnect } from './reconnect.ts';
import { ReflectorHealth, isPassing, type ReflectorStatus } from './health.ts';
import type { Reflector, ReflectorOptions } from './options.ts';
import { Retries } from './retries.ts';
import { DEFAULT_REFLECTOR_TIMING, between, type ReflectorTiming } from './timing.ts';
import { parseWatchEvent, watchQuery } from './watch-event.ts';

/** What the API server answers when its cache has not, or no longer, the version asked for. */
const CACHE_REFUSALS = new Set([400, 410, 504]);

const CONSISTENT_ATTEMPTS = 3;
const LONGEST_RETRY_MS = 5000;

export function createReflector<T>(options: ReflectorOptions<T>): Reflector<T> {
  return new ListWatch(options);
}

class ListWatch<T> implements Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  readonly #store: ObjectStore<T>;
  readonly #health: ReflectorHealth;
  readonly #retries: Retries;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** Lists are taken one at a time. */
  readonly #inTurn = pLimit(1);
  /** Set during a pause, and during a watch. */
  #pausing: AbortController | undefined;
  #watching: AbortController | undefined;
  #needsList = true;
  /** False once the API server's cache turned out not to have what we have seen. */
  #trustCache = true;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...DEFAULT_REFLECTOR_TIMING, ...options.timing };
    this.#store = new ObjectStore(options.select, (item, by) => options.onRemoved?.(item, by));
    this.#health = new ReflectorHealth(options.clock, this.#timing);
    this.#retries = new Retries(
      this.#timing,
      options.random,
      options.reconnect ?? createReconnect(() => this.#monotonicMs(), options.random),
    );
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pausing?.abort();
    this.#watching?.abort();
    await this.#running;
    await this.#inTurn(() => undefined);
  }

  status(): ReflectorStatus {
    return { ...this.#health.status(), resourceVersion: this.#store.version() };
  }

  items(): Iterable<T> {
    return this.#store.values();
  }

  get(uid: string): T | undefined {
    return this.#store.get(uid);
  }

  async listConsistent(signal: AbortSignal | undefined): Promise<boolean> {
    const joined = signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    // The list before it may hang, and knows nothing of this signal.
    const mine = this.#inTurn(async () => await this.#quorumList(joined));
    return (await orAborted(mine, joined)) === true;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      let delayMs: number;
      try {
        delayMs = await this.#step();
      } catch (error) {
        delayMs = await this.#recover(error);
      }
      await this.#pause(delayMs);
    }
  }

  /** Lists when needed, then watches until the watch ends. Resolves with how long to wait (ms) before the next step. */
  async #step(): Promise<number> {
    if (
      this.#health.state === 'absent' &&
      !(await this.#exists(this.#monotonicMs() - this.#timing.absentProbeMs[0], this.#stopping.signal))
    ) {
      return between(this.#timing.absentProbeMs, this.#options.random);
    }
    if (this.#retries.isPastLost) this.#needsList = true;
    if (this.#needsList) await this.#inTurn(async () => await this.#cacheList());
    return this.#stopping.signal.aborted ? 0 : await this.#watch();
  }

  async #cacheList(): Promise<void> {
    // A consistent list may have come first while this one waited for its turn.
    if (!this.#needsList) return;
    try {
      await this.#list(this.#trustCache ? (this.#store.version() ?? '0') : undefined, this.#stopping.signal);
    } catch (error) {
      if (error instanceof KubeApiError && CACHE_REFUSALS.has(error.status ?? 0)) this.#trustCache = false;
      throw error;
    }
  }

  /** Tries again where another attempt may help: anyone who asks for a consistent list asks seldom. */
  async #quorumList(signal: AbortSignal): Promise<boolean> {
    for (let attempt = 1; attempt <= CONSISTENT_ATTEMPTS && !signal.aborted; attempt++) {
      const startedAt = this.#options.clock.now();
      try {
        if (this.#health.state !== 'absent' || (await this.#exists(this.#monotonicMs(), signal))) await this.#list(undefined, signal);
        this.#health.listedConsistently(startedAt);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (await this.#provesAbsence(error, signal)) continue;
        if (!isPassing(error)) return false;
        if (attempt === CONSISTENT_ATTEMPTS) return false;
        const delayMs = backoffMs(attempt, error.retryAfterSeconds, this.#timing, this.#options.random);
        await this.#sleep(Math.min(delayMs, LONGEST_RETRY_MS), signal);
      }
    }
    return false;
  }

  /** `resourceVersion` as in `ListRequest`. Wakes a loop that is waiting for what this list has brought. */
  async #list(resourceVersion: string | undefined, signal: AbortSignal): Promise<void> {
    const { client, path, query = {}, accept, select } = this.#options;
    this.#store.beginList();
    try {
      const request = { path, query, accept: accept?.list, pageSize: this.#timing.pageSize, resourceVersion, signal };
      if (this.#store.commitList(await listObjects(client, request, select)) === 'restart') this.#watching?.abort();
    } finally {
      this.#store.abandonList();
    }
    this.#needsList = false;
    this.#trustCache = true;
    this.#retries.listed();
    this.#health.contact('synced');
    this.#pausing?.abort();
    this.#options.onChange?.();
  }

  async #watch(): Promise<number> {
    const timeoutSeconds = between(this.#timing.watchSeconds, this.#options.random);
    const openedAtMs = this.#monotonicMs();
    const watching = new AbortController();
    this.#watching = watching;
    const overdue = setTimeout(() => watching.abort(), timeoutSeconds * 1000 + this.#timing.watchGraceMs);
    try {
      await this.#follow(timeoutSeconds, watching.signal);
    } finally {
      clearTimeout(overdue);
      this.#watching = undefined;
    }
    // The API server ends a watch when its time is over. One that ends earlier was ended by a shutdown, which others notice as well.
    if (watching.signal.aborted || this.#monotonicMs() - openedAtMs >= timeoutSeconds * 900) return 0;
    return this.#retries.failed(undefined, this.#health.hadContact);
  }

  async #follow(timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const { client, path, accept } = this.#options;
    const query = { ...this.#options.query, ...watchQuery(this.#store.version(), timeoutSeconds) };
    const idleTimeoutMs = this.#timing.idleTimeoutMs;
    for await (const line of client.stream({ method: 'GET', path, query, accept: accept?.watch, idleTimeoutMs, signal })) {
      if (signal.aborted) return;
      this.#takeLine(line);
    }
  }

  #takeLine(line: unknown): void {
    try {
      const changed = this.#store.apply(parseWatchEvent(line));
      this.#retries.watched();
      this.#health.contact('synced');
      if (changed) this.#options.onChange?.();
    } catch (error) {
      // Whatever it was, the store may have missed something.
      this.#needsList = true;
      throw error;
    }
  }

  /** Notes what went wrong; resolves with the delay (ms) before the next attempt. */
  async #recover(error: unknown): Promise<number> {
    if (this.#stopping.signal.aborted) return 0;
    const known = error instanceof KubeApiError ? error : undefined;
    if (known?.status === 410 || known?.reason === 'InvalidResponse') this.#needsList = true;
    const delayMs = this.#retries.failed(known, this.#health.hadContact);
    return (await this.#provesAbsence(error, this.#stopping.signal)) ? between(this.#timing.absentProbeMs, this.#options.random) : delayMs;
  }

  /** True when the error is a 404 and discovery confirms it; otherwise the error is noted. */
  async #provesAbsence(error: unknown, signal: AbortSignal): Promise<boolean> {
    let noted = error;
    if (error instanceof KubeApiError && error.status === 404 && this.#options.presence !== undefined) {
      try {
        if (!(await this.#exists(this.#monotonicMs(), signal))) return true;
      } catch (discoveryError) {
        noted = discoveryError;
      }
    }
    if (!signal.aborted) this.#health.fail(noted);
    return false;
  }

  /** Throws `KubeApiError`. An absent resource takes its items along. */
  async #exists(notBeforeMs: number, signal: AbortSignal): Promise<boolean> {
    const exists = (await this.#options.presence?.exists(notBeforeMs, signal)) ?? true;
    if (exists) {
      if (this.#health.state === 'absent') this.#health.state = 'syncing';
      return true;
    }
    this.#watching?.abort();
    this.#store.clear();
    this.#needsList = true;
    this.#health.contact('absent');
    this.#options.onChange?.();
    return false;
  }

  #monotonicMs(): number {
    return this.#options.clock.now().monotonicMs;
  }

  async #pause(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#stopping.signal.aborted) return;
    const pausing = new AbortController();
    this.#pausing = pausing;
    await this.#sleep(delayMs, pausing.signal);
    this.#pausing = undefined;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await (this.#options.sleep ?? sleepFor)(ms, signal);
  }
}
