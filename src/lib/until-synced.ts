import type { Clock, WorkloadSource } from '../model/ports.ts';
import { sleep } from './sleep.ts';

const POLL_MS = 100;

export interface SyncWait {
  readonly sources: readonly WorkloadSource[];
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** What else has to be known. */
  readonly isReady?: (() => boolean) | undefined;
}

/** Resolves when each source has been listed or has failed; also after `waitMs`, and when the signal aborts. */
export async function untilSynced({ sources, waitMs, clock, signal, isReady = () => true }: SyncWait): Promise<void> {
  const giveUpMs = clock.now().monotonicMs + waitMs;
  const isOver = (): boolean => signal?.aborted === true || clock.now().monotonicMs >= giveUpMs;
  while (!isOver()) {
    const readings = await Promise.all(sources.map((source) => source.read({ consistent: false, signal })));
    if (isReady() && readings.every(({ status }) => status.state !== 'syncing')) return;
    await sleep(POLL_MS, signal);
  }
}
