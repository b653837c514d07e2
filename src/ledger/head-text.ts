import * as z from 'zod/mini';
import { parseJson } from '../lib/json.ts';
import type { LedgerHead } from '../model/ledger/records.ts';

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const seq = z.int().check(z.nonnegative());
const head = z.object({ first: z.object({ seq, prev: hash }), last: z.object({ seq, hash }), segments: z.array(z.string()) });

/** Undefined for what is not a head. */
export function parseHead(text: string): LedgerHead | undefined {
  return head.safeParse(parseJson(text)).data;
}

/** Undefined for anything but the very text that is written of a head: it is small, so each of its bytes counts. */
export function parseWrittenHead(text: string): LedgerHead | undefined {
  const found = parseHead(text);
  return found !== undefined && text.trimEnd() === JSON.stringify(found) ? found : undefined;
}
