import type { Clock, Logger } from '../../model/ports.ts';
import { EVENT_CONTROLLER, EventSender, type EventSenderOptions, type Series } from './sender.ts';
import { identityOf, seriesKey, type EventValue } from './event.ts';
import { createTokenBuckets, type TokenBuckets } from './token-buckets.ts';
import { WorkQueue } from '../../lib/work-queue.ts';

/** Per object: what client-go's correlator allows. */
const OBJECT_LIMIT = { burst: 25, secondsPerToken: 300, maxBuckets: 4096 };
/** All objects in namespaces together: many VMs with the same problem are reported, but not all at once. */
const AGENT_LIMIT = { burst: 100, secondsPerToken: 12, maxBuckets: 1 };
/** client-go's `finishTime` and `refreshTime`. */
const SERIES_END_MS = 6 * 60_000;
const SERIES_REFRESH_MS = 30 * 60_000;
const MAX_SERIES = 1024;
const MAX_QUEUE = 256;

export interface EventRecorderOptions extends EventSenderOptions {
  /** An event that had been taken could not be sent after all, for a reason that may pass. */
  readonly onDropped: (event: EventValue) => void;
}

/** Sends events in the background. Mirrors client-go `tools/events`: one event is created, its repetitions are counted in a series. */
export class EventRecorder {
  readonly #clock: Clock;
  readonly #onDropped: (event: EventValue) => void;
  readonly #sender: EventSender;
  readonly #queue: WorkQueue;
  readonly #series = new Map<string, Series>();
  readonly #objectBuckets: TokenBuckets = createTokenBuckets(OBJECT_LIMIT);
  readonly #agentBucket: TokenBuckets = createTokenBuckets(AGENT_LIMIT);

  constructor(options: EventRecorderOptions & { readonly logger: Logger }) {
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    this.#sender = new EventSender(options);
    this.#queue = new WorkQueue(options.logger);
  }

  /** Queues the event, or counts it into its series; false when a limit refuses it. Never waits. */
  record(event: EventValue): boolean {
    const key = seriesKey(event, EVENT_CONTROLLER);
    const nowMs = this.#clock.now().wallMs;
    const known = this.#series.get(key);
    if (known !== undefined && !isQuiet(known, nowMs)) {
      this.#repeat(known, nowMs);
      return true;
    }
    if (known !== undefined) this.#finish(key, known);
    if (!this.#isAllowed(event)) return false;
    this.#begin(key, event, nowMs);
    return true;
  }

  /** Sends the last count of series that have been quiet for six minutes, and forgets them. Call about once a minute. */
  sweep(): void {
    const nowMs = this.#clock.now().wallMs;
    for (const [key, series] of this.#series) {
      if (isQuiet(series, nowMs)) this.#finish(key, series);
    }
  }

  /** Resolves when nothing is left to send. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #begin(key: string, event: EventValue, nowMs: number): void {
    const series: Series = { event, name: this.#sender.newName(event), count: 1, lastObservedMs: nowMs, sentCount: 0, sentAtMs: nowMs };
    this.#series.set(key, series);
    const [oldest] = this.#series;
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#finish(...oldest);
    this.#queue.add(async () => {
      const sent = await this.#sender.create(series);
      if (sent !== 'sent') this.#series.delete(key);
      if (sent === 'retry') this.#onDropped(event);
    });
  }

  /** Repetitions are sent when the series begins and every half hour; between, and until it ends, they are only counted. */
  #repeat(series: Series, nowMs: number): void {
    series.count++;
    series.lastObservedMs = nowMs;
    if (series.count === 2 || nowMs - series.sentAtMs >= SERIES_REFRESH_MS) this.#tellCount(series);
  }

  #finish(key: string, series: Series): void {
    this.#series.delete(key);
    this.#tellCount(series);
  }

  #tellCount(series: Series): void {
    if (series.count <= series.sentCount || !this.#isAllowed(series.event)) return;
    this.#queue.add(async () => {
      await this.#sender.count(series);
    });
  }

  #isAllowed({ regarding }: EventValue): boolean {
    const nowMs = this.#clock.now().monotonicMs;
    return (
      this.#queue.length < MAX_QUEUE &&
      this.#objectBuckets.take(identityOf(regarding), nowMs) &&
      (regarding.namespace === undefined || this.#agentBucket.take('agent', nowMs))
    );
  }
}

/** Also true for a series that the clock, set back since, has in its future: it would neither end nor be reported for as long. */
function isQuiet({ lastObservedMs }: Series, nowMs: number): boolean {
  return nowMs < lastObservedMs || nowMs - lastObservedMs >= SERIES_END_MS;
}
