import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** Something that needs a base file: a VM, the holder of a lock, a QEMU. */
export interface Need {
  readonly who: string;
  readonly base: string;
  /** Says whether it still needs the file. Asked after the file was looked at, so that it is sure to have needed it then. */
  readonly stands: () => boolean;
}

/** Knows what is in use, by what really happened, and notices when a file in use is gone or is another one. */
export class Referee {
  readonly violations: string[] = [];
  /** Looks at a needed file. */
  looks = 0;
  readonly #basePath: string;
  readonly #needs = new Map<Need, string>();

  constructor(basePath: string) {
    this.#basePath = basePath;
  }

  get needs(): number {
    return this.#needs.size;
  }

  /** From now on, until it no longer stands or is released, `need.base` must stay the file that it is. False: there is none. */
  protect(need: Need): boolean {
    const identity = this.#identityOf(need.base);
    if (identity === undefined) return false;
    this.#needs.set(need, identity);
    return true;
  }

  release(need: Need): void {
    this.check(need);
    this.#needs.delete(need);
  }

  check(need: Need): void {
    const identity = this.#needs.get(need);
    if (identity === undefined) return;
    const now = this.#identityOf(need.base);
    this.looks++;
    if (now === identity || !need.stands()) return;
    this.#needs.delete(need);
    this.violations.push(`${need.who} needs ${need.base}, which is ${now === undefined ? 'gone' : 'another file now'}`);
  }

  sweep(): void {
    for (const need of this.#needs.keys()) this.check(need);
  }

  isNeeded(base: string): boolean {
    return [...this.#needs.keys()].some((need) => need.base === base);
  }

  /** Names of base files that somebody needs. */
  needed(): string[] {
    return [...new Set([...this.#needs.keys()].map(({ base }) => base))];
  }

  #identityOf(base: string): string | undefined {
    const stats = lstatSync(join(this.#basePath, base), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : `${stats.ino} ${stats.size}`;
  }
}
