import * as z from 'zod/mini';
import type { HistoryItem } from '../../model/ledger/history.ts';
import type { LedgerEnd } from '../../model/ledger/records.ts';

const item = z.looseObject({
  seq: z.int(),
  at: z.string(),
  pass: z.int(),
  evidence: z.int(),
  action: z.string(),
  kind: z.string(),
  name: z.string(),
  allocatedBytes: z.number(),
  inode: z.string(),
  modifiedAt: z.string(),
  reason: z.string(),
  outcome: z.optional(z.string()),
  message: z.optional(z.string()),
  askedBy: z.optional(z.string()),
});

/** Just enough to show it. */
const shape = z.looseObject({
  apiVersion: z.literal('basekeeper.io/v1'),
  kind: z.literal('LedgerHistory'),
  items: z.array(item),
  mark: z.optional(z.object({ seq: z.int(), hash: z.string() })),
  unreadable: z.int(),
});

/** What an agent answers of its node's ledger. */
export interface HistoryAnswer {
  readonly items: readonly HistoryItem[];
  readonly mark?: LedgerEnd | undefined;
  readonly unreadable: number;
}

/** Throws where `origin` answered something else. */
export function asHistory(answer: unknown, origin: string): HistoryAnswer {
  const parsed = shape.safeParse(answer);
  if (!parsed.success) throw new Error(`the response from ${origin} is not a history that this version of Basekeeper can read`);
  return parsed.data as unknown as HistoryAnswer;
}
