import { describe, expect, it } from 'vitest';
import {
  formatRecord,
  isRecordOf,
  lastCheckedMs,
  mismatchOf,
  parseRecord,
  pauseAfterMs,
  recordAfter,
} from '../../../../src/verify/checksums/record.ts';
import { KnownMismatches } from '../../../../src/verify/checksums/mismatches.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)] as const;
const FIRST = '2026-11-23T14:00:00.000Z';
const LATER = '2026-11-24T14:00:00.000Z';
const FILE = { inode: '7', sizeBytes: 5 };
const RECORD = { ...FILE, sha256: A, recordedAt: FIRST, checkedAt: FIRST };

describe('checksum records', () => {
  it('should read what was written, also of a file that differs', () => {
    for (const record of [RECORD, { ...RECORD, differs: B }]) expect(parseRecord(formatRecord(record))).toEqual(record);
  });

  it.each([
    ['no JSON', '{'],
    ['another type', '[]'],
    ['nothing', ''],
    ['a key too many', JSON.stringify({ ...RECORD, more: 1 })],
    ['an invalid checksum', JSON.stringify({ ...RECORD, sha256: 'A'.repeat(64) })],
    ['a size below zero', JSON.stringify({ ...RECORD, sizeBytes: -1 })],
    ['an invalid date', JSON.stringify({ ...RECORD, checkedAt: '2026-99-99T14:00:00.000Z' })],
    ['a name from the prototype', '{"__proto__": {}}'],
  ])('should know nothing from %s', (_what, text) => {
    expect(parseRecord(text)).toBeUndefined();
  });

  it('should remember the first reading, and what the last one gave while it is another', () => {
    const first = recordAfter(undefined, FILE, A, FIRST);
    expect(first).toEqual(RECORD);
    const flipped = recordAfter(first, FILE, B, LATER);
    expect(flipped).toEqual({ ...RECORD, checkedAt: LATER, differs: B });
    expect(mismatchOf(flipped)).toContain(`SHA-256 was ${A} at ${FIRST} and is ${B} at ${LATER}`);
    expect(mismatchOf(recordAfter(flipped, FILE, A, LATER))).toBeUndefined();
  });

  it('should begin again with another inode or size', () => {
    for (const other of [
      { ...FILE, inode: '8' },
      { ...FILE, sizeBytes: 6 },
    ]) {
      expect(isRecordOf(other, RECORD)).toBe(false);
      expect(recordAfter({ ...RECORD, differs: B }, other, B, LATER)).toEqual({ ...other, sha256: B, recordedAt: LATER, checkedAt: LATER });
    }
  });

  it('should take a file first that was never read, or was read in the future', () => {
    const now = Date.parse(LATER);
    expect(lastCheckedMs(RECORD, now)).toBe(Date.parse(FIRST));
    expect(lastCheckedMs(undefined, now)).toBe(Number.NEGATIVE_INFINITY);
    expect(lastCheckedMs({ ...RECORD, checkedAt: '2099-01-01T00:00:00.000Z' }, now)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('should keep the rate, and rest as long as a slow disk took', () => {
    expect(pauseAfterMs({ bytes: 1000, tookMs: 100 }, 1000)).toBe(900);
    expect(pauseAfterMs({ bytes: 1000, tookMs: 900 }, 1000)).toBe(900);
    expect(pauseAfterMs({ bytes: 1000, tookMs: 5000 }, 1000)).toBe(5000);
    expect(pauseAfterMs({ bytes: 1000, tookMs: -5000 }, 1000)).toBe(6000);
  });

  it('should tell a mismatch of the very file only, until it is gone', () => {
    const known = new KnownMismatches();
    known.note('image', { ...RECORD, differs: B });
    const file = { name: 'image', inode: 7n, sizeBytes: 5 };
    expect(known.mismatchOf(file)).toContain('its content has changed');
    expect(known.mismatchOf({ ...file, inode: 8n })).toBeUndefined();
    known.keepOnly(new Set(['image']));
    expect(known.mismatchOf(file)).toBeDefined();
    known.keepOnly(new Set());
    expect(known.mismatchOf(file)).toBeUndefined();
  });
});
