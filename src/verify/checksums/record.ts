import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';

/** What distinguishes a file from another of the same name. No time: files in use are touched by every pass. */
export interface ChecksumIdentity {
  readonly inode: string;
  readonly sizeBytes: number;
}

/** What is remembered of one base file's content, as JSON in a file of its name. */
export interface ChecksumRecord extends ChecksumIdentity {
  readonly sha256: string;
  /** RFC 3339. */
  readonly recordedAt: string;
  readonly checkedAt: string;
  /** The SHA-256 that the last reading gave, where that was another. */
  readonly differs?: string | undefined;
}

/** A record has some 300 bytes; what is longer is not ours. */
export const MAXIMUM_RECORD_BYTES = 1024;

const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const time = z.string().check(z.maxLength(30), z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const record = z.strictObject({
  inode: z.string().check(z.regex(/^[0-9]{1,20}$/)),
  sizeBytes: z.int().check(z.gte(0)),
  sha256,
  recordedAt: time,
  checkedAt: time,
  differs: z.optional(sha256),
});

/** Undefined for what `formatRecord` did not make: then nothing is known, and the file is recorded again. */
export function parseRecord(text: string): ChecksumRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data, success } = record.safeParse(value);
  return success && [data.recordedAt, data.checkedAt].every((at) => Number.isFinite(Date.parse(at))) ? data : undefined;
}

export function formatRecord(it: ChecksumRecord): string {
  return `${JSON.stringify(it)}\n`;
}

export function isRecordOf(identity: ChecksumIdentity, it: ChecksumIdentity): boolean {
  const only = ({ inode, sizeBytes }: ChecksumIdentity): ChecksumIdentity => ({ inode, sizeBytes });
  return isDeepStrictEqual(only(identity), only(it));
}

/** When the file was read last, ms since the epoch; never, where nothing is known of it or a clock was wrong: then it is its turn. */
export function lastCheckedMs(it: ChecksumRecord | undefined, nowMs: number): number {
  const checkedMs = it === undefined ? Number.NEGATIVE_INFINITY : Date.parse(it.checkedAt);
  return checkedMs > nowMs ? Number.NEGATIVE_INFINITY : checkedMs;
}

/** The record after a reading that gave `found` at `at`. */
export function recordAfter(before: ChecksumRecord | undefined, identity: ChecksumIdentity, found: string, at: string): ChecksumRecord {
  const { inode, sizeBytes } = identity;
  if (before === undefined || !isRecordOf(identity, before)) return { inode, sizeBytes, sha256: found, recordedAt: at, checkedAt: at };
  const { sha256: recorded, recordedAt } = before;
  return { inode, sizeBytes, sha256: recorded, recordedAt, checkedAt: at, ...(found === recorded ? {} : { differs: found }) };
}

/** Why a file does not match its record, or undefined. */
export function mismatchOf({ sha256: recorded, recordedAt, checkedAt, differs }: ChecksumRecord): string | undefined {
  if (differs === undefined) return undefined;
  return (
    `its content has changed: SHA-256 was ${recorded} at ${recordedAt} and is ${differs} at ${checkedAt}; compare it with the image, ` +
    'and replace it if no disk uses it'
  );
}

/**
 * How long to wait after a chunk, ms: until the bytes fit the rate, and at least as long as reading them took, so that a disk that is slow
 * because others need it is ours for half the time at most.
 */
export function pauseAfterMs(chunk: { readonly bytes: number; readonly tookMs: number }, bytesPerSecond: number): number {
  return Math.max((chunk.bytes / bytesPerSecond) * 1000 - chunk.tookMs, chunk.tookMs, 0);
}
