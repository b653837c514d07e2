import type { KnownLocks } from '../model/overlay.ts';

/** Some 100 bytes each, for as long as a pass lasts. */
const MOST_NAMES = 65_536;

/** What identifies a directory and its names. */
type Stamp = Parameters<KnownLocks['isUnchanged']>[0];

/** The lock files that a scan finds to be empty regular files. Each is added once. */
export class EmptyLocks implements KnownLocks {
  readonly names = new Set<string>();
  #count = 0;
  #all: Stamp | undefined;

  add(name: string): void {
    this.#count += 1;
    if (this.names.size < MOST_NAMES) this.names.add(name);
  }

  /** A directory among them that is looked at in each reading. */
  addOurs(): void {
    this.#count += 1;
  }

  /**
   * The lock directory was listed.
   *
   * @param stats of the directory, from before. Undefined where another change could leave the same ctime.
   */
  listed(entries: number, stats: Stamp | undefined): void {
    this.#all = entries === this.#count ? stats : undefined;
  }

  isUnchanged({ dev, ino, ctimeNs }: Stamp): boolean {
    return this.#all?.dev === dev && this.#all.ino === ino && this.#all.ctimeNs === ctimeNs;
  }
}
