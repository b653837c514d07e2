import { getHeapStatistics } from 'node:v8';
import type { BackingLink } from '../model/overlay.ts';
import type { UnseenLog } from './unseen-log.ts';

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

const TOO_MANY_NAMES =
  'the headers below the instances path name more than there is room for, so what this one names is not kept: look for images with very many names, say raw where a guest wrote them, or give the agent more memory';

/** Keeps what a header names under `key`, in the place of what was kept there. Where there is no room it keeps nothing there, and `path` is unseen. */
export function keepNamed<T extends { readonly chain: readonly BackingLink[] }>(
  { names, unseen }: { readonly names: NameBudget; readonly unseen: UnseenLog },
  kept: Map<string, T>,
  { key, path = key, found }: { readonly key: string; readonly path?: string; readonly found: T },
): boolean {
  if (names.take(found.chain, kept.get(key)?.chain)) {
    kept.set(key, found);
    return true;
  }
  kept.delete(key);
  unseen.add(path, 'NotUnderstood', TOO_MANY_NAMES);
  return false;
}
