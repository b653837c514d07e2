import { timestamp } from '../../lib/timestamp.ts';
import type { HistoryEntry, HistoryEvidence, HistoryItem, HistoryPass } from '../../model/ledger/history.ts';
import type { Asked, LedgerRecord } from '../../model/ledger/records.ts';
import { parseLine } from '../line.ts';
import type { Named, Row } from './pending.ts';

const NS_PER_MS = 1_000_000;

/** The time of its batch was over, and the file stayed in the queue: it got another intent before it went. */
export function wasPutBack({ outcome }: Row): boolean {
  return outcome === 'PutBack';
}

/** Reads rows as they are shown; undefined for one that was put back. */
export function createEntryReader(): (row: Row) => HistoryEntry | 'unreadable' | undefined {
  const read = rememberingReader();
  return (row) => {
    if (wasPutBack(row)) return undefined;
    const record = parseLine(row.text);
    if (record?.type !== 'intent') return 'unreadable';
    const [pass, evidence] = [read(row.passRecord), read(row.evidenceRecord)];
    const passRecord = pass?.type === 'pass' ? pass : undefined;
    const evidenceRecord = evidence?.type === 'evidence' ? evidence : undefined;
    return {
      item: itemOf(record, row, passRecord?.asked),
      pass: passRecord && withoutPrev(passRecord),
      evidence: evidenceRecord && withoutPrev(evidenceRecord),
    };
  };
}

type Intent = Extract<LedgerRecord, { type: 'intent' }>;

function itemOf(record: Intent, { outcome, message }: Row, asked: Asked | undefined): HistoryItem {
  const { type: _type, prev: _prev, modifiedAtNs, ...rest } = record;
  return {
    ...rest,
    modifiedAt: timestamp(Number(modifiedAtNs) / NS_PER_MS),
    ...(outcome === undefined ? {} : { outcome }),
    ...(message === undefined ? {} : { message }),
    ...(asked === undefined ? {} : { askedBy: askedBy(asked) }),
  };
}

function askedBy(asked: Asked): string {
  if (asked.by === 'run-now') return `run-now ${asked.value}`;
  return asked.by === 'command' ? `command of user ${asked.uid}` : asked.by;
}

function withoutPrev<T extends HistoryPass | HistoryEvidence>({ prev: _prev, ...rest }: T & { readonly prev: string }): T {
  return rest as unknown as T;
}

/** Many rows name the same record. */
function rememberingReader(): (named: Named | undefined) => LedgerRecord | undefined {
  const known = new WeakMap<Named, LedgerRecord>();
  return (named) => {
    if (named === undefined) return undefined;
    const record = known.get(named) ?? parseLine(named.text);
    if (record !== undefined) known.set(named, record);
    return record;
  };
}
