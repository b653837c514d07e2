import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { replaceOwnFile } from '../disk/write-small-file.ts';
import { readSmallFile } from '../disk/read-small-file.ts';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { hasErrno } from '../lib/errors.ts';
import { FULL } from '../model/ledger/recorder.ts';
import { LEDGER_HEAD, NO_RECORD_BEFORE, segmentName, segmentNumber, type LedgerEnd, type LedgerHead } from '../model/ledger/records.ts';
import { parseHead } from './head-text.ts';
import { linkOf } from './line.ts';
import { BLOCK_BYTES } from './segment.ts';

const MAX_HEAD_BYTES = 1_048_576;
/** Of the first line of a segment. */
const MAX_LINE_BYTES = 262_144;
const NEWLINE = 10;

/** Undefined where there is none, or none that can be read. */
export function readHead(directory: OpenDirectory): LedgerHead | undefined {
  try {
    const file = directory.at(LEDGER_HEAD, (path) => readSmallFile(path, MAX_HEAD_BYTES));
    return file === undefined ? undefined : parseHead(file.text);
  } catch (error) {
    if (hasErrno(error, 'EFBIG', 'EINVAL', 'ELOOP')) return undefined;
    throw error;
  }
}

export interface Kept {
  /** Of the segments that are there, and stay. */
  readonly numbers: readonly number[];
  /** The youngest that retention drops, or 0: those up to it are not missed. */
  readonly droppedUpTo: number;
}

/** Replaces it. What it named before, and what neither is there nor was dropped, is named on, so that an audit misses it. Throws an errno error. */
export async function writeHead(directory: OpenDirectory, { numbers, droppedUpTo }: Kept, last: LedgerEnd): Promise<void> {
  const before = readHead(directory);
  const missing = (before?.segments ?? []).filter((name) => {
    const number = segmentNumber(name) ?? 0;
    return number > droppedUpTo && !numbers.includes(number);
  });
  const names = [...missing, ...numbers.map(segmentName)].toSorted((a, b) => (segmentNumber(a) ?? 0) - (segmentNumber(b) ?? 0));
  // It moves on with what retention drops alone, so that an audit misses what somebody else took away.
  const first = droppedUpTo > 0 ? beginningOf(directory, numbers, last) : (before?.first ?? { seq: 1, prev: NO_RECORD_BEFORE });
  const value: LedgerHead = { first, last, segments: names };
  await put(directory, `${JSON.stringify(value)}\n`);
}

/** On a file system that is full, over the text that is there: it has room for more than it needs. */
async function put(directory: OpenDirectory, text: string): Promise<void> {
  const padded = text.padEnd(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES, '\n');
  try {
    await replaceOwnFile((name, operation) => directory.at(name, operation), LEDGER_HEAD, padded, `.${LEDGER_HEAD}.tmp`);
  } catch (error) {
    if (!hasErrno(error, ...FULL) || !directory.at(LEDGER_HEAD, (path) => writeOver(path, padded))) throw error;
  }
}

/** Returns whether there is a file of this size. */
function writeOver(path: string, text: string): boolean {
  const fd = openExisting(path);
  if (fd === undefined) return false;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.nlink !== 1 || stats.size !== text.length) return false;
    writeSync(fd, text, 0);
    fdatasyncSync(fd);
    return true;
  } finally {
    closeSync(fd);
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function beginningOf(directory: OpenDirectory, [number]: readonly number[], last: LedgerEnd): LedgerHead['first'] {
  const link = number === undefined ? undefined : linkOf(directory.at(segmentName(number), firstLine) ?? '');
  return { seq: link?.seq ?? last.seq, prev: link?.prev ?? last.hash };
}

/** Undefined where the file has no whole line. */
function firstLine(path: string): string | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(MAX_LINE_BYTES);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    const end = bytes.subarray(0, length).indexOf(NEWLINE);
    return end === -1 ? undefined : bytes.toString('utf8', 0, end);
  } finally {
    closeSync(fd);
  }
}
