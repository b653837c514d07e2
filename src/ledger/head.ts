import { closeSync, constants, openSync, readSync } from 'node:fs';
import * as z from 'zod/mini';
import { replaceOwnFile } from '../disk/write-small-file.ts';
import { readSmallFile } from '../disk/read-small-file.ts';
import type { OpenDirectory } from '../disk/held-directory.ts';
import { hasErrno } from '../lib/errors.ts';
import { LEDGER_HEAD, segmentName, type LedgerEnd, type LedgerHead } from '../model/ledger/records.ts';
import { linkOf } from './line.ts';

const MAX_HEAD_BYTES = 1_048_576;
/** Of the first line of a segment. */
const MAX_LINE_BYTES = 262_144;
const NEWLINE = 10;
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const seq = z.int().check(z.positive());
const head = z.object({
  first: z.object({ seq, prev: hash }),
  last: z.object({ seq, hash }),
  segments: z.array(z.string()),
});

/** Undefined for what is not a head. */
export function parseHead(text: string): LedgerHead | undefined {
  try {
    return head.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

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

/** Replaces it. Throws an errno error. */
export async function writeHead(directory: OpenDirectory, segments: readonly number[], last: LedgerEnd): Promise<void> {
  const names = segments.map(segmentName);
  const first = names[0] === undefined ? undefined : linkOf(directory.at(names[0], firstLine) ?? '');
  const value: LedgerHead = { first: { seq: first?.seq ?? last.seq, prev: first?.prev ?? last.hash }, last, segments: names };
  await replaceOwnFile(
    (name, operation) => directory.at(name, operation),
    LEDGER_HEAD,
    `${JSON.stringify(value)}\n`,
    `.${LEDGER_HEAD}.tmp`,
  );
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
