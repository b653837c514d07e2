import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import type { BaseFile, BaseScan } from '../model/scan.ts';
import type { BaseVerifier, ChecksumRecords, Clock } from '../model/ports.ts';
import type { Mismatch } from '../model/verification.ts';
import { HeaderCache } from '../images/header-cache.ts';
import { ImageReader } from '../images/reader.ts';
import { Pacer } from '../lib/pacer.ts';
import { contradictionOf } from './contradiction.ts';

/** More are counted, not listed. */
const LISTED_MISMATCHES = 100;
/** Headers kept between passes, some 400 bytes each. Files in use are touched, and so read again, in every pass. */
const CACHED_HEADERS = 4096;

export interface BaseVerifierOptions {
  readonly instancesPath: string;
  /** Files that were written so short a time ago may still be copied, and are not looked at. */
  readonly minimumAgeFloorSeconds: number;
  /** Undefined where no checksums are kept. */
  readonly checksums?: ChecksumRecords | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** Looks whether base files are what their names say: one header each, paced as a scan is. Opens nothing but regular files, and follows no link. */
export function createBaseVerifier(options: BaseVerifierOptions): BaseVerifier {
  const { instancesPath, minimumAgeFloorSeconds, checksums, clock = systemClock } = options;
  const cache = new HeaderCache(CACHED_HEADERS);
  return {
    async verify(scan, { signal } = {}) {
      const pacer = new Pacer(clock, signal);
      const reader = new ImageReader({ instancesPath, cache, clock });
      const youngestMs = clock.now().wallMs - minimumAgeFloorSeconds * 1000;
      const mismatches: Mismatch[] = [];
      const counts = { files: 0, unreadableFiles: 0, mismatchedFiles: 0 };
      for (const file of scan.files) {
        if (pacer.due()) await pacer.pause();
        if (file.kind === 'foreign') continue;
        const isYoung = file.modifiedAtMs > youngestMs;
        const contradiction = isYoung ? undefined : verifyFile(reader, scan, file);
        if (contradiction === 'unreadable') counts.unreadableFiles++;
        else if (!isYoung) counts.files++;
        // A file that was touched a moment ago is young, and still not what was recorded of it.
        const message = contradiction ?? checksums?.mismatchOf(file);
        if (message === undefined || message === 'unreadable') continue;
        counts.mismatchedFiles++;
        if (mismatches.length < LISTED_MISMATCHES) mismatches.push({ file: file.name, message });
      }
      return { ...counts, mismatches };
    },
  };
}

function verifyFile(reader: ImageReader, { basePath }: BaseScan, file: BaseFile): string | undefined {
  const path = join(basePath, file.name);
  try {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    // Another file by now, or none: the next pass looks at that one.
    if (stats?.isFile() !== true || stats.ino !== file.inode || stats.size !== BigInt(file.sizeBytes)) return undefined;
    const header = reader.header(path, stats);
    return header.kind === 'irregular' ? undefined : contradictionOf(file, header);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return errnoOf(error) === 'ENOENT' ? undefined : 'unreadable';
  }
}
