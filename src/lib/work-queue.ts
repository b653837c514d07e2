import pLimit from 'p-limit';
import { messageOf } from './errors.ts';
import type { Logger } from '../model/ports.ts';

/** Background work, one after the other. Work that throws is a defect: it is logged, and the next goes on. */
export class WorkQueue {
  readonly #logger: Logger;
  readonly #inTurn = pLimit(1);
  /** Of work that has not ended: p-limit counts a little later. */
  #length = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get length(): number {
    return this.#length;
  }

  add(work: () => Promise<void>): void {
    this.#length++;
    void this.#inTurn(() => this.#guarded(work));
  }

  /** Resolves when everything that has been added so far, or meanwhile, is done. */
  async idle(): Promise<void> {
    while (this.#length > 0) await this.#inTurn(() => undefined);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.error({ error: messageOf(error) }, 'background work failed unexpectedly');
    } finally {
      this.#length--;
    }
  }
}
