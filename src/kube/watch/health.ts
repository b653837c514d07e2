import { messageOf } from '../../lib/errors.ts';
import type { Clock } from '../../model/ports.ts';
import type { ClockReading } from '../../model/snapshot.ts';
import type { SourceState } from '../../model/workload.ts';
import { KubeApiError } from '../errors.ts';
import type { ReflectorTiming } from './timing.ts';

export interface ReflectorStatus {
  readonly state: SourceState;
  /** Wall clock, as it is set now, of the last event, bookmark, list or (while absent) discovery. */
  readonly lastContactMs: number | undefined;
  readonly freshLimitMs: number;
  /** Wall clock, as it is set now, at the start of the last quorum list that succeeded. */
  readonly consistentListAtMs: number | undefined;
  /** The last problem since the last contact; may be there while the state is `synced`. */
  readonly message: string | undefined;
  /** Of what is known: of the last list, event or bookmark. */
  readonly resourceVersion?: string | undefined;
}

/** What two readings of the clocks may differ by because clocks are imprecise. */
const CLOCK_NOISE_MS = 1000;

/** How a reflector is doing. */
export class ReflectorHealth {
  readonly #clock: Clock;
  readonly #timing: ReflectorTiming;
  state: SourceState = 'syncing';
  #lastContactAt: ClockReading | undefined;
  #consistentListAt: ClockReading | undefined;
  #message: string | undefined;

  constructor(clock: Clock, timing: ReflectorTiming) {
    this.#clock = clock;
    this.#timing = timing;
  }

  get hadContact(): boolean {
    return this.#lastContactAt !== undefined;
  }

  status(): ReflectorStatus {
    const { state } = this;
    const message = this.#message;
    const now = this.#clock.now();
    const lastContactMs = toldBy(now, this.#lastContactAt);
    const consistentListAtMs = toldBy(now, this.#consistentListAt);
    const freshLimitMs = state === 'absent' ? this.#timing.absentFreshLimitMs : this.#timing.freshLimitMs;
    return { state, message, lastContactMs, consistentListAtMs, freshLimitMs };
  }

  contact(state: SourceState): void {
    this.state = state;
    this.#message = undefined;
    this.#lastContactAt = this.#clock.now();
  }

  listedConsistently(startedAt: ClockReading): void {
    this.#consistentListAt = startedAt;
  }

  /** A break that passes leaves what was synced synced: its age shows, and a consistent list decides. */
  fail(error: unknown): void {
    this.state = isPassing(error) && this.state === 'synced' ? 'synced' : 'failed';
    this.#message = messageOf(error);
  }
}

/**
 * When `then` was, by the wall clock as it goes `now`. Were a clock that was set back not followed, what is long past would seem to
 * lie ahead: silence would pass for fresh, and an old list for one that was taken after the scan.
 */
function toldBy(now: ClockReading, then: ClockReading | undefined): number | undefined {
  if (then === undefined) return undefined;
  const setForwardMs = now.wallMs - then.wallMs - (now.monotonicMs - then.monotonicMs);
  return setForwardMs < -CLOCK_NOISE_MS ? then.wallMs + setForwardMs : then.wallMs;
}

/** Another attempt may help: no answer, an overload, a server error, or a version that is no longer there. */
export function isPassing(error: unknown): error is KubeApiError {
  if (!(error instanceof KubeApiError)) return false;
  const { status } = error;
  return status === undefined || status === 410 || status === 429 || status >= 500;
}
