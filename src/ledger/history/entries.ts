import { timestamp } from '../../lib/timestamp.ts';
import type { HistoryEntry, HistoryEvidence, HistoryItem, HistoryPass } from '../../model/ledger/history.ts';
import type { Asked, LedgerRecord } from '../../model/ledger/records.ts';
import { parseLine } from '../line.ts';
import type { Named, Row } from './pending.ts';

const NS_PER_MS = 1_000_000;

const INTENT_KEYS = [
  'seq',
  'at',
  'pass',
  'evidence',
  'intendedAt',
  'action',
  'kind',
  'name',
  'entry',
  'sizeBytes',
  'allocatedBytes',
  'device',
  'inode',
  'imageSha1',
  'verdict',
  'reason',
] as const satisfies readonly (keyof Intent)[];
const PASS_KEYS = [
  'seq',
  'at',
  'type',
  'asked',
  'version',
  'node',
  'preset',
  'mode',
  'basePath',
  'process',
  'pid',
] as const satisfies readonly (keyof HistoryPass)[];
const EVIDENCE_KEYS = ['seq', 'at', 'type', 'pass', 'sources', 'overlays', 'unseen'] as const satisfies readonly (keyof HistoryEvidence)[];

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
      pass: passRecord && pick(passRecord, PASS_KEYS),
      evidence: evidenceRecord && pick(evidenceRecord, EVIDENCE_KEYS),
    };
  };
}

type Intent = Extract<LedgerRecord, { type: 'intent' }>;

function itemOf(record: Intent, { outcome, message }: Row, asked: Asked | undefined): HistoryItem {
  return {
    ...pick(record, INTENT_KEYS),
    modifiedAt: timestamp(Number(record.modifiedAtNs) / NS_PER_MS),
    ...(outcome === undefined ? {} : { outcome }),
    ...(message === undefined ? {} : { message }),
    ...(asked === undefined ? {} : { askedBy: askedBy(asked) }),
  };
}

function askedBy(asked: Asked): string {
  if (asked.by === 'run-now') return `run-now ${asked.value}`;
  return asked.by === 'command' ? `command of user ${asked.uid}` : asked.by;
}

/** What else a line has may be anything. */
function pick<T extends object, K extends keyof T>(record: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]]]))) as Pick<T, K>;
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
