import { readdirSync } from 'node:fs';
import { readSmallFile } from '../../disk/read-small-file.ts';
import { replaceOwnFile } from '../../disk/write-small-file.ts';
import { formatRecord, MAXIMUM_RECORD_BYTES, parseRecord, type ChecksumRecord } from './record.ts';
import { holdDirectory, type OpenDirectory } from '../../disk/held-directory.ts';
import { hasErrno } from '../../lib/errors.ts';
import { openSubdirectory } from '../../disk/subdirectory.ts';

/** Below the base directory. Nova lists no directories there, so it never sees what is in it. */
export const CHECKSUM_DIRECTORY = '.basekeeper-checksums';
/** Of `replaceOwnFile`; no base file that is recorded begins with a dot. */
const TEMPORARY_PREFIX = '.';
/** A temporary file that is older was left behind by somebody who died. */
const STALE_MS = 3_600_000;

/** One record for each base file, under its name. Held by descriptor; operations throw errno errors. */
export interface ChecksumDirectory {
  /** Undefined where there is none, or one that is not ours. */
  read(name: string): ChecksumRecord | undefined;
  /** By a temporary file and rename: nobody ever sees half of it. */
  write(name: string, record: ChecksumRecord): Promise<void>;
  /** Removes the records of files that are gone, and what dead writers left behind. */
  prune(isThere: (name: string) => boolean, nowMs: number): void;
  close(): void;
}

/** Throws as `openSubdirectory` does. */
export function openChecksumDirectory(base: OpenDirectory, basePath: string): ChecksumDirectory {
  const fd = openSubdirectory(base, { basePath, name: CHECKSUM_DIRECTORY }, { create: true });
  if (fd === undefined) throw new Error('unreachable: it is made where there is none');
  const directory = holdDirectory(fd, `${basePath}/${CHECKSUM_DIRECTORY}`);
  const { entries, at, self } = directory;
  return {
    read: (name) => at(name, readRecord),
    write: async (name, record) => await replaceOwnFile(at, name, formatRecord(record)),
    prune(isThere, nowMs) {
      for (const name of self((path) => readdirSync(path))) {
        const stat = entries.stat(name);
        if (stat?.regular !== true) continue;
        const stale = name.startsWith(TEMPORARY_PREFIX) ? nowMs - stat.modifiedAtMs > STALE_MS : !isThere(name);
        if (stale) unlinkIfThere(directory, name);
      }
    },
    close: () => entries.close(),
  };
}

function readRecord(path: string): ChecksumRecord | undefined {
  try {
    const file = readSmallFile(path, MAXIMUM_RECORD_BYTES);
    return file === undefined ? undefined : parseRecord(file.text);
  } catch (error) {
    // A link, a directory, too long, or not UTF-8: not ours.
    if (hasErrno(error, 'ELOOP', 'EISDIR', 'EINVAL', 'EFBIG', 'ENXIO')) return undefined;
    throw error;
  }
}

function unlinkIfThere({ entries }: OpenDirectory, name: string): void {
  try {
    entries.unlink(name);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}
