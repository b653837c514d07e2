import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLine } from '../../src/ledger/line.ts';
import { LEDGER_DIRECTORY, NO_RECORD_BEFORE, type LedgerRecord } from '../../src/model/ledger/records.ts';

/** The directory of a host's ledger below an instances path. */
export function ledgerOf(instancesPath: string, host = 'node-1'): string {
  return join(instancesPath, 'locks', LEDGER_DIRECTORY, host);
}

/** All records, and what is wrong with the chain: of a reader that shares nothing with the writer but the record's grammar. */
export function readLedger(directory: string): { readonly records: LedgerRecord[]; readonly problems: string[] } {
  const records: LedgerRecord[] = [];
  const problems: string[] = [];
  if (!existsSync(directory)) return { records, problems };
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted();
  let prev = NO_RECORD_BEFORE;
  for (const [index, name] of names.entries()) {
    const text = readFileSync(join(directory, name), 'latin1');
    const written = text.replace(/\n+$/, '');
    if (index < names.length - 1 && text !== `${written}\n`) problems.push(`${name}: does not end with its last record`);
    for (const line of written === '' ? [] : written.split('\n')) {
      const record = parseLine(Buffer.from(line, 'latin1').toString('utf8'));
      if (record === undefined) {
        problems.push(`${name}: not a record: ${line}`);
        continue;
      }
      const isFirst = records.length === 0;
      if (!isFirst && record.prev !== prev) problems.push(`${name}: ${record.seq} does not continue the chain`);
      if (!isFirst && record.seq !== (records.at(-1)?.seq ?? 0) + 1) problems.push(`${name}: ${record.seq} is out of order`);
      prev = createHash('sha256').update(line, 'latin1').digest('hex');
      records.push(record);
    }
  }
  return { records, problems };
}

/** Names of the files of which an intent is recorded; in the trash by their names there. */
export function intendedNames(records: readonly LedgerRecord[]): string[] {
  return records.flatMap((record) => (record.type === 'intent' ? [record.entry ?? record.name] : []));
}
