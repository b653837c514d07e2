import type { ClockReading } from '../model/snapshot.ts';
import type { Asked } from '../model/ledger/records.ts';
import type { Mode } from '../model/policy.ts';
import type { Report } from '../model/report.ts';
import type { Clock, Logger, Reporter, WorkloadSource } from '../model/ports.ts';
import type { OwnNode } from '../kube/types.ts';
import { sleep } from '../lib/sleep.ts';
import { untilSynced } from '../lib/until-synced.ts';
import { effectiveMode, unknownMode } from './mode.ts';
import { pendingRunNow, runNowAnswer } from './run-now.ts';
import { nextPassMs, type NodeSchedule, type PreviousStart } from './schedule.ts';

/** How long SIGTERM waits for the running pass to come to a clean stop. */
const DRAIN_MS = 8_000;
/** How long the first pass waits for the sources to be listed. */
const SYNC_WAIT_MS = 60_000;
/** A pass may begin this much later than planned before the agent counts as hung. */
const HEALTH_GRACE_MS = 60_000;

export interface AgentParts {
  readonly mode: Mode;
  readonly schedule: NodeSchedule;
  readonly passDeadlineMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sources: readonly WorkloadSource[];
  /** Undefined without a cluster. */
  readonly node: OwnNode | undefined;
  readonly reporter: Reporter;
  readonly pass: (options: {
    dryRun: boolean;
    previousPass: ClockReading | undefined;
    signal: AbortSignal;
    /** Who asked for it. */
    asked: Asked;
  }) => Promise<Report>;
  /** The report of a pass that the mode `off` leaves out. */
  readonly skipped: (message: string) => Report;
  /** Called when the effective mode may have changed. */
  readonly onMode?: ((mode: Mode) => void) | undefined;
  /** Called when the node's annotation is not a mode: its value, and the mode that counts instead. */
  readonly onUnknownMode?: ((value: string, instead: Mode) => void) | undefined;
  /** Called after each pass, once its report is published. */
  readonly tidy?: (() => void) | undefined;
}

export interface AgentStatus {
  readonly mode: Mode;
  readonly lastReport: Report | undefined;
  readonly nextPassMs: number | undefined;
  readonly passRunning: boolean;
  /** Undefined: healthy. Else what is wrong: a pass hangs, or did not begin when it should have. */
  readonly unhealthy: string | undefined;
}

export interface Agent {
  /** Runs passes until the signal aborts, then drains; resolves within 10 s of that. */
  run(signal: AbortSignal): Promise<void>;
  status(): AgentStatus;
}

export function createAgent(parts: AgentParts): Agent {
  return new PassLoop(parts);
}

class PassLoop implements Agent {
  readonly #parts: AgentParts;
  #lastReport: Report | undefined;
  #lastPass: ClockReading | undefined;
  #lastStart: PreviousStart | undefined;
  #nextMs: number | undefined;
  /** Monotonic ms until which a healthy agent shows progress. */
  #progressDueMs: number;
  #running = false;
  #answered: string | undefined;
  #lastMode: Mode | undefined;
  #toldMode: string | undefined;
  #wake: AbortController = new AbortController();
  /** Of a running pass that may remove files. */
  #removals: AbortController | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#progressDueMs = parts.clock.now().monotonicMs + SYNC_WAIT_MS + HEALTH_GRACE_MS;
  }

  status(): AgentStatus {
    const overdue = this.#parts.clock.now().monotonicMs > this.#progressDueMs;
    const problem = this.#running ? 'the running pass is past its deadline' : 'the next pass has not begun in time';
    return {
      mode: this.#mode(),
      lastReport: this.#lastReport,
      nextPassMs: this.#nextMs,
      passRunning: this.#running,
      unhealthy: overdue ? problem : undefined,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { node, sources, onMode } = this.#parts;
    const stopListening = node?.onChange(() => {
      this.#tellUnknownMode();
      const mode = this.#mode();
      onMode?.(mode);
      // The watch and the lists of the running pass both come here. The batch in hand stays as it is, the rest is abandoned.
      if (mode !== 'enforce') this.#removals?.abort(new Error(`the mode of this node became ${mode}`));
      this.#wake.abort();
    });
    node?.start();
    for (const source of sources) source.start();
    onMode?.(this.#mode());
    const loop = this.#loop(signal);
    await untilAborted(signal, loop);
    await Promise.race([loop, sleep(DRAIN_MS)]);
    stopListening?.();
    await Promise.race([Promise.all([node?.stop(), ...sources.map((source) => source.stop())]), sleep(1000)]);
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { sources, clock, node } = this.#parts;
    const isReady = (): boolean => node === undefined || node.current() !== undefined;
    await untilSynced({ sources, waitMs: SYNC_WAIT_MS, clock, signal, isReady });
    while (!signal.aborted) {
      await this.#waitForTurn(signal);
      if (!signal.aborted) await this.#onePass(signal);
    }
  }

  /** Until the schedule, a new `run-now` or another mode asks for a pass. Triggers that came during the last pass count once. */
  async #waitForTurn(signal: AbortSignal): Promise<void> {
    const { clock, schedule } = this.#parts;
    const now = clock.now();
    this.#nextMs = nextPassMs(schedule, now.wallMs, this.#lastStart);
    const dueMs = now.monotonicMs + (this.#nextMs - now.wallMs);
    this.#progressDueMs = dueMs + HEALTH_GRACE_MS;
    while (!signal.aborted && !this.#isTriggered()) {
      const restMs = dueMs - clock.now().monotonicMs;
      if (restMs <= 0) return;
      this.#wake = new AbortController();
      if (!this.#isTriggered()) await sleep(restMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #onePass(signal: AbortSignal): Promise<void> {
    const { clock, logger, passDeadlineMs, reporter } = this.#parts;
    const isForMode = this.#isModeChanged();
    const asked = this.#pendingRunNow();
    const startedAt = clock.now();
    this.#lastStart = { startMs: startedAt.wallMs, isFirst: this.#lastStart === undefined };
    this.#progressDueMs = startedAt.monotonicMs + passDeadlineMs + HEALTH_GRACE_MS;
    this.#running = true;
    const deadline = new AbortController();
    // Not AbortSignal.timeout: its timer and all that hangs on it would stay until the deadline, long after the pass.
    const timer = setTimeout(() => deadline.abort(new Error('the pass ran past its deadline')), passDeadlineMs).unref();
    const report = await this.#reportOf(AbortSignal.any([signal, deadline.signal]), askedBy(asked, isForMode));
    clearTimeout(timer);
    this.#running = false;
    this.#lastPass = clock.now();
    this.#lastReport = report;
    // Who changes the mode and then asks for a pass means this one: another would find nothing left to do.
    const runNow = asked ?? (isForMode && !this.#isModeChanged() ? this.#pendingRunNow() : undefined);
    this.#answered = runNow ?? this.#answered;
    if (deadline.signal.aborted)
      logger.error({ passDeadlineSeconds: passDeadlineMs / 1000 }, 'the pass ran past its deadline and was abandoned');
    await reporter.publish(report, { runNowDone: runNow === undefined ? undefined : runNowAnswer(runNow) });
    this.#parts.tidy?.();
  }

  async #reportOf(signal: AbortSignal, asked: Asked): Promise<Report> {
    const mode = this.#mode();
    this.#lastMode = mode;
    this.#parts.onMode?.(mode);
    if (mode === 'off') return this.#parts.skipped('the mode is off');
    if (mode === 'dry-run') return this.#parts.pass({ dryRun: true, previousPass: this.#lastPass, signal, asked });
    this.#removals = new AbortController();
    try {
      const either = AbortSignal.any([signal, this.#removals.signal]);
      return await this.#parts.pass({ dryRun: false, previousPass: this.#lastPass, signal: either, asked });
    } finally {
      this.#removals = undefined;
    }
  }

  /** Once for each value: the node changes often. */
  #tellUnknownMode(): void {
    const { node, mode, onUnknownMode } = this.#parts;
    const value = unknownMode(node?.current()?.annotations);
    if (value !== undefined && value !== this.#toldMode) onUnknownMode?.(value, effectiveMode(mode, node?.current()?.annotations));
    this.#toldMode = value;
  }

  #mode(): Mode {
    const { mode, node } = this.#parts;
    return node === undefined ? mode : effectiveMode(mode, node.current()?.annotations);
  }

  #isTriggered(): boolean {
    return this.#isModeChanged() || this.#pendingRunNow() !== undefined;
  }

  #isModeChanged(): boolean {
    return this.#lastMode !== undefined && this.#parts.node?.current() !== undefined && this.#lastMode !== this.#mode();
  }

  #pendingRunNow(): string | undefined {
    return pendingRunNow(this.#parts.node?.current()?.annotations, this.#answered);
  }
}

function askedBy(runNow: string | undefined, isForMode: boolean): Asked {
  if (runNow !== undefined) return { by: 'run-now', value: runNowAnswer(runNow) };
  return { by: isForMode ? 'mode' : 'schedule' };
}

/** Until the signal aborts or the loop ends by itself (a programming error, which is then thrown). */
async function untilAborted(signal: AbortSignal, loop: Promise<void>): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([aborted, loop]);
}
