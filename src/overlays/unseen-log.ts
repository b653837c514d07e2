import { errnoOf, ownMessageOf } from '../lib/errors.ts';
import type { Unseen, UnseenCause } from '../model/overlay.ts';

/** More are counted, not listed: a directory that denies every entry would fill the memory. */
const LISTED = 10_000;

/** Collects what a scan did not see, one entry a path. */
export class UnseenLog {
  readonly #listed = new Map<string, Unseen>();
  #unlisted = 0;

  add(path: string, cause: UnseenCause, message: string): void {
    if (this.#listed.size < LISTED || this.#listed.has(path)) this.#listed.set(path, { path, cause, message });
    else this.#unlisted += 1;
  }

  /** Records a system error; one that has no errno is a bug and thrown on. */
  addError(path: string, cause: UnseenCause, error: unknown): void {
    const code = errnoOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    this.add(path, cause, `${ownMessageOf(error)}${REMEDIES.get(code) ?? ''}`);
  }

  /** What was looked at again is not unseen any more. */
  clear(path: string): void {
    if (this.#listed.size > 0) this.#listed.delete(path);
  }

  list(): readonly Unseen[] {
    const listed = [...this.#listed.values()];
    if (this.#unlisted === 0) return listed;
    return [...listed, { path: '.', cause: 'NotEntered', message: `${this.#unlisted} more entries were not seen` }];
  }
}

const PERMISSION = '; let the agent read it (run it as root with CAP_DAC_READ_SEARCH), or list it under ignore if it is not an image';
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['EACCES', PERMISSION],
  ['EPERM', PERMISSION],
  ['ESTALE', '; mount the directory again'],
  ['EIO', '; look at the disk below it'],
]);
