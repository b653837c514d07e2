import { lstatSync, type BigIntStats } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../lib/errors.ts';
import type { Clock } from '../model/ports.ts';
import type { FsPath } from '../disk/raw-name.ts';

/** A directory that changed in the kernel's tick in which it was looked at could change again without a trace. 10 ms at worst. */
const TICK_MS = 20;

/**
 * Notices that directories changed while they were being read. A listing is not a snapshot: an entry that is renamed meanwhile, as
 * an instance directory is in a resize, may appear under neither name.
 */
export class Stillness {
  readonly #clock: Clock;
  readonly #noted: { readonly path: FsPath; readonly ctimeNs: bigint | undefined; readonly restless: boolean }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called before `directory` is read. Returns what lstat says of it, or undefined where it says nothing. */
  async note(directory: FsPath): Promise<BigIntStats | undefined> {
    let stats = statsOf(directory);
    if (this.#isFresh(stats?.ctimeNs)) {
      await sleep(TICK_MS);
      stats = statsOf(directory);
    }
    this.#noted.push({ path: directory, ctimeNs: stats?.ctimeNs, restless: this.#isFresh(stats?.ctimeNs) });
    return stats;
  }

  /** A directory that is not what it was when it was noted, or undefined when all are. */
  firstChange(): FsPath | undefined {
    return this.#noted.find(({ path, ctimeNs, restless }) => restless || statsOf(path)?.ctimeNs !== ctimeNs)?.path;
  }

  #isFresh(ctimeNs: bigint | undefined): boolean {
    return ctimeNs !== undefined && Math.abs(this.#clock.now().wallMs - Number(ctimeNs / 1_000_000n)) < TICK_MS;
  }
}

/** Undefined when it is not there or cannot be looked at; anyone who reads it reports that. */
function statsOf(directory: FsPath): BigIntStats | undefined {
  try {
    return lstatSync(directory, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
