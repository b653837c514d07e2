import { errnoOf, messageOf } from '../lib/errors.ts';
import { sleep } from '../lib/sleep.ts';
import type { Clock, Logger, StorageRegistry, WorkloadSource } from '../model/ports.ts';
import type { HostReport } from '../model/host-report.ts';
import type { SourceReading } from '../model/workload.ts';

/** How often a host reports what runs on it. Others that wait for a newer report wait about as long. */
const REPORT_INTERVAL_MS = 10_000;
/** Nova registers in each of its passes, every 40 minutes; a registration is to be renewed long before it is stale. */
const LONGEST_REGISTER_INTERVAL_MS = 600_000;

export interface MembershipParts {
  /** What this host is registered as. */
  readonly host: string;
  readonly hostTimeoutSeconds: number;
  readonly registry: StorageRegistry;
  /** Those of this host. */
  readonly sources: readonly WorkloadSource[];
  readonly reportOf: (takenAtMs: number, readings: readonly SourceReading[], nowMs: number) => HostReport;
  /** Shows a report to the other hosts. Says why they may have read another in its place, if so. Throws an errno error. */
  readonly publish: (report: HostReport) => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reportIntervalMs?: number | undefined;
}

/** This host as one of those that share the instances directory. */
export interface Membership {
  /** Registers now and then, and reports what runs here, until it is stopped: whatever the mode, others must know. */
  start(): void;
  stop(): Promise<void>;
  /** Nova's `register_storage_use`, before a pass asks who else there is. */
  register(signal?: AbortSignal): Promise<void>;
  /** Why others may not know that this host uses the directory, or what runs on it, if so. */
  problem(): string | undefined;
}

export function createMembership(parts: MembershipParts): Membership {
  return new Member(parts);
}

class Member implements Membership {
  readonly #parts: MembershipParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #registeredAtMs = Number.NEGATIVE_INFINITY;
  #registration: string | undefined;
  #reporting: string | undefined;
  #stranger: string | undefined;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  problem(): string | undefined {
    return this.#registration ?? this.#stranger;
  }

  async register(signal?: AbortSignal): Promise<void> {
    const { registry, host, clock } = this.#parts;
    const { wallMs, monotonicMs } = clock.now();
    const problem = await registry.register(host, wallMs, signal);
    if (signal?.aborted === true) return;
    if (problem === undefined) this.#registeredAtMs = monotonicMs;
    this.#registration = this.#warnOnce(problem, this.#registration, `host ${JSON.stringify(host)} could not be registered`);
  }

  async #run(): Promise<void> {
    const { clock, hostTimeoutSeconds, reportIntervalMs = REPORT_INTERVAL_MS } = this.#parts;
    const registerIntervalMs = Math.min(LONGEST_REGISTER_INTERVAL_MS, hostTimeoutSeconds * 250);
    while (!this.#stopping.signal.aborted) {
      const isDue = this.#registration !== undefined || clock.now().monotonicMs - this.#registeredAtMs >= registerIntervalMs;
      if (isDue) await this.register(this.#stopping.signal);
      await this.#report();
      await sleep(reportIntervalMs, this.#stopping.signal);
    }
  }

  async #report(): Promise<void> {
    const { sources, reportOf, publish, clock, host } = this.#parts;
    const takenAtMs = clock.now().wallMs;
    const readings = await Promise.all(
      sources.map(async (source) => await source.read({ consistent: false, signal: this.#stopping.signal })),
    );
    // Just started: what was reported before holds for a while yet.
    if (this.#stopping.signal.aborted || readings.some(({ status }) => status.state === 'syncing')) return;
    let problem: string | undefined;
    try {
      const stranger = publish(reportOf(takenAtMs, readings, clock.now().wallMs));
      this.#stranger = this.#warnOnce(stranger, this.#stranger, `the report of host ${JSON.stringify(host)} was replaced`);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      problem = messageOf(error);
    }
    this.#reporting = this.#warnOnce(problem, this.#reporting, `the report of host ${JSON.stringify(host)} could not be written`);
  }

  /** The problem in full; logged when it is new. */
  #warnOnce(problem: string | undefined, before: string | undefined, what: string): string | undefined {
    if (problem === undefined) return undefined;
    const warning = `${what}: ${problem}`;
    if (warning !== before) this.#parts.logger.warn({ problem }, what);
    return warning;
  }
}
