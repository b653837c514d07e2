import type { KubeApiError } from '../errors.ts';
import type { Reconnect } from './reconnect.ts';
import { backoffMs } from '../retry.ts';
import type { ReflectorTiming } from './timing.ts';

/** When a reflector's loop tries again. */
export class Retries {
  readonly #timing: ReflectorTiming;
  readonly #random: () => number;
  readonly #reconnect: Reconnect;
  #failures = 0;
  /** From a break of the connection until the items are known to be current again. */
  #isResuming = false;

  constructor(timing: ReflectorTiming, random: () => number, reconnect: Reconnect) {
    this.#timing = timing;
    this.#random = random;
    this.#reconnect = reconnect;
  }

  /** A watch brought something. */
  watched(): void {
    this.#failures = 0;
    this.#isResuming = false;
  }

  /** A list is not enough to begin the back-off again. */
  listed(): void {
    this.#isResuming = false;
  }

  /** True when a watch from where it was is known to be useless. */
  get isPastLost(): boolean {
    return this.#isResuming && this.#reconnect.isPastLost();
  }

  /**
   * Notes a failure (undefined: a watch that ended before its time); how long (ms) to wait. The first attempt after a connection that
   * worked is spread widely, the others back off.
   */
  failed(error: KubeApiError | undefined, hadContact: boolean): number {
    this.#failures += 1;
    if (error?.status === 410 && this.#isResuming) this.#reconnect.losePast();
    if (error?.status === undefined && hadContact) {
      this.#isResuming = true;
      if (this.#failures === 1) return this.#reconnect.delayMs(this.#timing);
    }
    return backoffMs(this.#failures, error?.retryAfterSeconds, this.#timing, this.#random);
  }
}
