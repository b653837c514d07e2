import { messageOf } from '../lib/errors.ts';
import type { Clock } from '../model/ports.ts';
import type { SourceState } from '../model/workload.ts';
import { KubeApiError } from './errors.ts';
import type { ReflectorTiming } from './timing.ts';

export interface ReflectorStatus {
  readonly state: SourceState;
  /** Wall clock of the last event, bookmark, list or (while absent) discovery. */
  readonly lastContactMs: number | undefined;
  readonly freshLimitMs: number;
  /** Wall clock at the start of the last quorum list that succeeded. */
  readonly consistentListAtMs: number | undefined;
  /** The last trouble since the last contact; may be there while the state is `synced`. */
  readonly message: string | undefined;
}

/** How a reflector is doing. */
export class ReflectorHealth {
  private readonly clock: Clock;
  private readonly timing: ReflectorTiming;
  state: SourceState = 'syncing';
  lastContactMs: number | undefined;
  consistentListAtMs: number | undefined;
  private message: string | undefined;

  constructor(clock: Clock, timing: ReflectorTiming) {
    this.clock = clock;
    this.timing = timing;
  }

  status(): ReflectorStatus {
    const { state, message, lastContactMs, consistentListAtMs } = this;
    const freshLimitMs = state === 'absent' ? this.timing.absentFreshLimitMs : this.timing.freshLimitMs;
    return { state, message, lastContactMs, consistentListAtMs, freshLimitMs };
  }

  contact(state: SourceState): void {
    this.state = state;
    this.message = undefined;
    this.lastContactMs = this.clock.now().wallMs;
  }

  /** A break that passes leaves what was synced synced: its age tells, and a consistent list decides. */
  fail(error: unknown): void {
    this.state = isPassing(error) && this.state === 'synced' ? 'synced' : 'failed';
    this.message = messageOf(error);
  }
}

/** Another attempt may help: no answer, an overload, a server error, or a version that is no longer there. */
export function isPassing(error: unknown): error is KubeApiError {
  if (!(error instanceof KubeApiError)) return false;
  const { status } = error;
  return status === undefined || status === 410 || status === 429 || status >= 500;
}
