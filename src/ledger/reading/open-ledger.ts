import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { provenanceOf, readSmallFile } from '../../disk/read-small-file.ts';
import { errnoError, hasErrno, withReadablePath } from '../../lib/errors.ts';
import { LEDGER_HEAD, segmentNumber } from '../../model/ledger/records.ts';
import type { LedgerFiles } from './files.ts';
import { readLines } from './lines.ts';

const MAX_HEAD_BYTES = 65_536;

/** Follows no link to the directory, and none within. Undefined where there is no ledger. Throws an errno error. */
export function openLedger(directory: string): LedgerFiles | undefined {
  let fd: number;
  try {
    fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const reached = `/proc/self/fd/${fd}`;
  const readably = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw withReadablePath(error, reached, directory);
    }
  };
  return {
    directory,
    provenance: provenanceOf(fstatSync(fd)),
    segments: () => readably(() => segmentsOf(readdirSync(reached))),
    head: () => readably(() => readSmallFile(`${reached}/${LEDGER_HEAD}`, MAX_HEAD_BYTES)?.text),
    *read(segment, sink) {
      const file = readably(() => openSync(`${reached}/${segment}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
      try {
        const stats = fstatSync(file);
        if (!stats.isFile()) throw errnoError('EINVAL', `'${directory}/${segment}' is not a regular file`);
        yield* readLines(file, sink);
        return provenanceOf(stats);
      } finally {
        closeSync(file);
      }
    },
    version: () => readably(() => versionOf(reached)),
    close: () => closeSync(fd),
  };
}

function versionOf(directory: string): string {
  const names = [...segmentsOf(readdirSync(directory)), LEDGER_HEAD];
  return names.map((name) => `${name} ${fileTimes(`${directory}/${name}`)}`).join('\n');
}

function fileTimes(path: string): string {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? '' : [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
}

/** In the order of their numbers. */
function segmentsOf(names: readonly string[]): readonly string[] {
  const numbers = new Map(names.map((name) => [name, segmentNumber(name)]));
  return names
    .filter((name) => numbers.get(name) !== undefined)
    .toSorted((left, right) => (numbers.get(left) ?? 0) - (numbers.get(right) ?? 0));
}
