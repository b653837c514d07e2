import { KubeApiError } from '../../kube/errors.ts';
import type { KubeClient } from '../../kube/types.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Clock, Logger } from '../../model/ports.ts';
import { eventBody, eventName, eventsPath, seriesPatch } from './body.ts';
import type { EventValue } from './event.ts';
import { isWorthRetrying, sendWithRetries } from '../../kube/retry.ts';
import type { Timing } from '../../lib/timing.ts';

export const EVENT_CONTROLLER = 'basekeeper.io/agent';

/** An event and its repetitions. */
export interface Series {
  readonly event: EventValue;
  /** Changes when the event is created again. */
  name: string;
  count: number;
  /** Wall clock, ms. */
  lastObservedMs: number;
  /** The count that the API server knows, and when it was sent (wall clock, ms). */
  sentCount: number;
  sentAtMs: number;
}

export interface EventSenderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly logger: Logger;
  /** `reportingInstance`: which agent. */
  readonly instance: string;
  /** Ends waiting; requests in flight go on. */
  readonly hurry: AbortSignal;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** What became of an event: `retry` when a later pass may report it again, `refused` when the API server will never have it. */
export type Sent = 'sent' | 'retry' | 'refused';

/** Writes events to the API server. */
export class EventSender {
  readonly #options: EventSenderOptions;

  constructor(options: EventSenderOptions) {
    this.#options = options;
  }

  newName(event: EventValue): string {
    const { clock, timing } = this.#options;
    return eventName(event, clock.now().wallMs, () => timing.random());
  }

  async create(series: Series): Promise<Sent> {
    return await this.#guarded(series, () => this.#post(series), 409);
  }

  /** Brings the API server's count up to ours; creates the event again where the server has forgotten it (its TTL is an hour). */
  async count(series: Series): Promise<Sent> {
    if (series.count <= series.sentCount) return 'sent';
    return await this.#guarded(series, () => this.#patch(series), 404);
  }

  /** @param again the status that means: create the event under a new name. */
  async #guarded(series: Series, work: () => Promise<void>, again: number): Promise<Sent> {
    try {
      await work().catch(async (error: unknown) => {
        if (!(error instanceof KubeApiError) || error.status !== again) throw error;
        series.name = this.newName(series.event);
        await this.#post(series);
      });
      return 'sent';
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      this.#options.logger.warn({ reason: series.event.reason, error: messageOf(error) }, 'an event could not be sent');
      return isWorthRetrying(error) ? 'retry' : 'refused';
    }
  }

  async #post(series: Series): Promise<void> {
    const identity = {
      name: series.name,
      controller: EVENT_CONTROLLER,
      instance: this.#options.instance,
      eventMs: series.lastObservedMs,
    };
    await this.#send(series, 'POST', eventsPath(series.event), eventBody(series.event, identity, series));
  }

  async #patch(series: Series): Promise<void> {
    await this.#send(series, 'PATCH', `${eventsPath(series.event)}/${encodeURIComponent(series.name)}`, seriesPatch(series));
  }

  async #send(series: Series, method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
    const { client, clock, timing, hurry, signal } = this.#options;
    const { count } = series;
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : undefined;
    await sendWithRetries(() => client.request({ method, path, body, contentType, signal }), timing, hurry);
    series.sentCount = count;
    series.sentAtMs = clock.now().wallMs;
  }
}
