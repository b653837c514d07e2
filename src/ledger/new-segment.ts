import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { hasErrno } from '../lib/errors.ts';
import { segmentName } from '../model/ledger/records.ts';
import { Segment } from './segment.ts';

/** Makes one, with at least so many bytes of its reserve. Its name is on disk then. Throws an errno error. */
export async function newSegment(directory: OpenDirectory, number: number, atLeast: number): Promise<Segment> {
  const name = segmentName(number);
  try {
    const segment = await Segment.create(directory, name, number, atLeast);
    directory.self(syncDirectory);
    return segment;
  } catch (error) {
    // One that is too small for a record is in the way of the next attempt.
    if (!hasErrno(error, 'EEXIST')) discard(directory, name);
    throw error;
  }
}

function discard(directory: OpenDirectory, name: string): void {
  try {
    directory.entries.unlink(name);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
