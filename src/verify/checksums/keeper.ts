import { constants, openSync } from 'node:fs';
import { errnoOf, hasErrno, messageOf } from '../../lib/errors.ts';
import { sleep as wait } from '../../lib/sleep.ts';
import type { BaseScanner, ChecksumRecords, Clock, FileLocker, Logger } from '../../model/ports.ts';
import type { ChecksumObserver } from '../../model/verification.ts';
import { openChecksumDirectory } from './directory.ts';
import { checksumRound, type ChecksumCounts } from './round.ts';
import { holdDirectory } from '../../disk/held-directory.ts';
import { KnownMismatches } from './mismatches.ts';
import type { PacedHashParts } from './paced-hash.ts';

/** Between two rounds: how long a new file waits for its turn where there is nothing else to read. */
const BETWEEN_ROUNDS_MS = 600_000;

export interface ChecksumKeeperOptions {
  readonly basePath: string;
  readonly scanner: BaseScanner;
  readonly locker: FileLocker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: ChecksumObserver | undefined;
  readonly bytesPerSecond: number;
  /** Files that were written so short a time ago may still be copied, and are not recorded. */
  readonly minimumAgeFloorSeconds: number;
  /** Asked before each file. */
  readonly paused: () => boolean;
  /** Default: a timer. */
  readonly sleep?: PacedHashParts['sleep'] | undefined;
}

export interface ChecksumKeeper {
  readonly mismatches: ChecksumRecords;
  /** Reads in the background until the signal aborts, then stops after the chunk at hand. Throws only what is a mistake of ours. */
  run(signal: AbortSignal): Promise<void>;
  /** One round; undefined where there is no base directory. Throws an errno error when a directory cannot be had. */
  round(signal: AbortSignal): Promise<ChecksumCounts | undefined>;
}

/** Records SHA-256 of base files beside them and reads them again, one at a time and at a bounded rate. Changes nothing else, and decides nothing. */
export function createChecksumKeeper(options: ChecksumKeeperOptions): ChecksumKeeper {
  const { basePath, logger, sleep = wait } = options;
  const mismatches = new KnownMismatches();
  const round = async (signal: AbortSignal): Promise<ChecksumCounts | undefined> => {
    const base = openBase(basePath);
    if (base === undefined) return undefined;
    try {
      const records = openChecksumDirectory(base, basePath);
      try {
        return await checksumRound({ ...options, base, records, mismatches, sleep, signal });
      } finally {
        records.close();
      }
    } finally {
      base.entries.close();
    }
  };
  return {
    mismatches,
    round,
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (!options.paused()) logCounts(logger, await round(signal));
        } catch (error) {
          if (signal.aborted) return;
          if (errnoOf(error) === undefined) throw error;
          logger.warn({ error: messageOf(error) }, 'the checksums of base files could not be checked');
        }
        await sleep(BETWEEN_ROUNDS_MS, signal);
      }
    },
  };
}

function openBase(basePath: string) {
  try {
    return holdDirectory(openSync(basePath, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW), basePath);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function logCounts(logger: Logger, counts: ChecksumCounts | undefined): void {
  if (counts === undefined) return;
  const { recordedFiles, verifiedFiles, mismatchedFiles, unreadableFiles } = counts;
  if (mismatchedFiles + unreadableFiles > 0) logger.warn(counts, 'base files are not what was recorded of them, or could not be read');
  else if (recordedFiles + verifiedFiles > 0) logger.info(counts, 'the checksums of base files were checked');
}
