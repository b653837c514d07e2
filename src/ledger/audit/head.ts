import * as z from 'zod/mini';
import { parseJson } from '../../lib/json.ts';
import type { LedgerHead } from '../../model/ledger/records.ts';

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const shape = z.strictObject({
  first: z.strictObject({ seq: z.int(), prev: hash }),
  last: z.strictObject({ seq: z.int(), hash }),
  segments: z.array(z.string()),
});

/** Undefined for anything but the very text that is written of a head: it is small, so each of its bytes counts. */
export function parseHead(text: string): LedgerHead | undefined {
  const { success, data } = shape.safeParse(parseJson(text));
  return success && text.trimEnd() === JSON.stringify(data) ? data : undefined;
}
