import { hash } from 'node:crypto';
import * as z from 'zod/mini';
import type { LedgerEnd, LedgerEntry, LedgerRecord } from '../model/ledger/records.ts';

/** What a line says besides its entry. */
export interface Link {
  readonly seq: number;
  readonly prev: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A record as a line, without its line end. `seq`, `prev`, `at` and `type` come first, in this order. */
export function formatLine({ seq, prev, at }: Link, { type, ...rest }: LedgerEntry): string {
  return JSON.stringify({ seq, prev, at, type, ...rest });
}

/** What the next line says of this one. */
export function hashLine(line: string | Uint8Array): string {
  return hash('sha256', line, 'hex');
}

const BEGINNING = /^\{"seq":([1-9][0-9]{0,15}),"prev":"([0-9a-f]{64})","at":"([^"\\]{20,30})","type":"([a-z]+)"/;

/** How a line is linked to the one before, and what kind it is, without a look at the rest of it. Undefined for what is not a whole line of ours. */
export function linkOf(line: string): (Link & { readonly type: string }) | undefined {
  const [, seq, prev = '', at = '', type = ''] = BEGINNING.exec(line) ?? [];
  return seq === undefined || !line.endsWith('}') ? undefined : { seq: Number(seq), prev, at, type };
}

const count = z.int().check(z.nonnegative());
const number = z.int().check(z.positive());
const ranges = z.array(z.tuple([number, number]));
const time = z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text))));
const link = { seq: number, prev: z.string().check(z.regex(/^[0-9a-f]{64}$/)), at: time };
const counts = z.record(z.string(), count);

const asked = z.discriminatedUnion('by', [
  z.object({ by: z.literal('schedule') }),
  z.object({ by: z.literal('mode') }),
  z.object({ by: z.literal('run-now'), value: z.string() }),
  z.object({ by: z.literal('command'), uid: z.int() }),
]);

const source = z.object({
  name: z.string(),
  state: z.string(),
  listedAt: z.optional(time),
  contactAt: z.optional(time),
  resourceVersion: z.optional(z.string()),
  workloads: count,
  gaps: count,
});

/** Each kind of record. A later version may add keys, which are kept. */
const record = z.discriminatedUnion('type', [
  z.looseObject({
    ...link,
    type: z.literal('pass'),
    asked,
    version: z.string(),
    node: z.string(),
    preset: z.string(),
    mode: z.literal('enforce'),
    basePath: z.string(),
    process: z.string(),
    pid: z.int(),
  }),
  z.looseObject({ ...link, type: z.literal('evidence'), pass: number, sources: z.array(source), overlays: counts, unseen: count }),
  z.looseObject({
    ...link,
    type: z.literal('intent'),
    pass: number,
    evidence: number,
    intendedAt: z.optional(time),
    action: z.enum(['unlink', 'trash', 'empty', 'restore']),
    kind: z.string(),
    name: z.string(),
    entry: z.optional(z.string()),
    sizeBytes: count,
    allocatedBytes: count,
    device: z.string(),
    inode: z.string(),
    modifiedAtNs: z.string(),
    imageSha1: z.optional(z.string()),
    verdict: z.string(),
    reason: z.string(),
  }),
  z.looseObject({
    ...link,
    type: z.literal('outcome'),
    pass: number,
    outcome: z.string(),
    intents: ranges,
    message: z.optional(z.string()),
  }),
  z.looseObject({ ...link, type: z.literal('end'), pass: number, outcomes: counts }),
  z.looseObject({
    ...link,
    type: z.literal('recovered'),
    torn: z.optional(z.object({ bytes: count, sha256: z.string() })),
    pass: z.optional(number),
    gone: z.optional(ranges),
    there: z.optional(ranges),
    unknown: z.optional(ranges),
  }),
]);

/** Reads a line, which anybody may have written. Undefined for what is not a record. Whether the chain holds is another question. */
export function parseLine(line: string): LedgerRecord | undefined {
  try {
    const { success, data } = record.safeParse(JSON.parse(line));
    // Reasons and outcomes of a later version are shown as they are.
    return success ? (data as LedgerRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Entries as lines that follow the record `last`, at the time `at`. */
export function chain(
  last: LedgerEnd,
  at: string,
  entries: readonly LedgerEntry[],
): { readonly lines: string[]; readonly ends: LedgerEnd[] } {
  const lines: string[] = [];
  const ends: LedgerEnd[] = [];
  let { seq, hash: prev } = last;
  for (const entry of entries) {
    seq += 1;
    const line = formatLine({ seq, prev, at }, entry);
    prev = hashLine(line);
    lines.push(line);
    ends.push({ seq, hash: prev });
  }
  return { lines, ends };
}
