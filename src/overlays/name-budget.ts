import { getHeapStatistics } from 'node:v8';
import type { BackingLink } from '../model/overlay.ts';

/** What names in headers may take of the memory that this process may have: guests write some of them. */
const SHARE_OF_HEAP = 0.3;
/** Of a link, besides its texts. */
const LINK_BYTES = 200;

/** Counts what a scan keeps of the names in headers. */
export class NameBudget {
  readonly #maximumBytes: number;
  #bytes = 0;

  constructor(maximumBytes = SHARE_OF_HEAP * getHeapStatistics().heap_size_limit) {
    this.#maximumBytes = maximumBytes;
  }

  /** Whether there is room for these links in the place of those that were found there before. If not, nothing was kept. */
  take(links: readonly BackingLink[], before: readonly BackingLink[] = []): boolean {
    const bytes = this.#bytes + costOf(links) - costOf(before);
    if (bytes > this.#maximumBytes) {
      this.#bytes -= costOf(before);
      return false;
    }
    this.#bytes = bytes;
    return true;
  }
}

/** Texts of a link are mostly one text. */
function costOf(links: readonly BackingLink[]): number {
  return links.reduce((sum, { reference, protects }) => sum + LINK_BYTES + reference.length + 50 * protects.length, 0);
}

export const TOO_MANY_NAMES =
  'the headers below the instances path name more than there is room for, so what this one names is not kept: look for images with very many names, say raw where a guest wrote them, or give the agent more memory';
