import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { timestamp } from '../lib/timestamp.ts';
import type { Clock } from '../model/ports.ts';
import { withPlaces } from '../disk/open-places.ts';

/** How far the time of a file that is written now may be from this process's clock, in ms: file servers have clocks of their own. */
const TOLERANCE_MS = 60_000;
/** `__O_TMPFILE`, which Node.js has no name for: a file without a name, which leaves nothing behind. */
const TMPFILE = 0o20000000 | constants.O_DIRECTORY | constants.O_WRONLY;

/**
 * What the file system says of this process's clock. Ages are the difference of the two, and a process may see another time than the kernel,
 * or a file server may have another. Where nothing can be written, nothing is removed either, and nothing is said here.
 */
export function fileClockProblem(places: Parameters<typeof withPlaces>[0], clock: Clock): string[] {
  const fileMs = withoutErrno(() => withPlaces(places, (_, locks) => timeOfNewFile(locks.path)));
  if (fileMs === undefined) return [];
  const { wallMs } = clock.now();
  const aheadMs = wallMs - fileMs;
  if (Math.abs(aheadMs) <= TOLERANCE_MS) return [];
  const where = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    `the clock of this process (${timestamp(wallMs)}) is ${Math.round(Math.abs(aheadMs) / 1000)} s ${where} the file system's, by a file that was just made in ${places.locksPath}; set the clocks of this machine and of its file server, or start Basekeeper with the machine's own`,
  ];
}

function timeOfNewFile(directory: string): number {
  return withoutErrno(() => timeOf(directory, TMPFILE)) ?? timeOfNamedFile(directory);
}

/** NFS and some others have no files without a name. */
function timeOfNamedFile(directory: string): number {
  const path = `${directory}/.basekeeper-clock-${randomBytes(8).toString('hex')}`;
  try {
    return timeOf(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW);
  } finally {
    withoutErrno(() => unlinkSync(path));
  }
}

function timeOf(path: string, flags: number): number {
  const fd = openSync(path, flags, 0o600);
  try {
    return fstatSync(fd).ctimeMs;
  } finally {
    closeSync(fd);
  }
}

function withoutErrno<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
