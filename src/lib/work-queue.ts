import { messageOf } from './errors.ts';
import type { Logger } from '../model/ports.ts';

/** Background work, one after the other. Work that throws is a defect: it is logged, and the next goes on. */
export class WorkQueue {
  readonly #logger: Logger;
  #length = 0;
  #last = Promise.resolve();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get length(): number {
    return this.#length;
  }

  add(work: () => Promise<void>): void {
    this.#length++;
    this.#last = this.#after(this.#last, work);
  }

  /** Resolves when everything that has been added so far, or meanwhile, is done. */
  async idle(): Promise<void> {
    while (this.#length > 0) await this.#last;
  }

  async #after(previous: Promise<void>, work: () => Promise<void>): Promise<void> {
    await previous;
    try {
      await work();
    } catch (error) {
      this.#logger.error({ error: messageOf(error) }, 'background work failed unexpectedly');
    } finally {
      this.#length--;
    }
  }
}
