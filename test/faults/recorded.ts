import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPasses } from '../../src/ledger/open-passes.ts';
import type { LedgerRecord } from '../../src/model/ledger/records.ts';
import { intendedNames, readLedger } from '../helpers/read-ledger.ts';

/** The ledger of the one host of an instances path. */
function readAll(instancesPath: string): ReturnType<typeof readLedger> {
  const directory = join(instancesPath, 'locks', 'basekeeper-ledger');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const host = names.find((name) => existsSync(join(directory, name, 'ledger-000001.jsonl')));
  return host === undefined ? { records: [], problems: [] } : readLedger(join(directory, host));
}

export function recordsOf(instancesPath: string): readonly LedgerRecord[] {
  return readAll(instancesPath).records;
}

/** Files that are gone without an intent after the first `known` records, and what is wrong with the chain; one sentence each. */
export function unrecorded(instancesPath: string, gone: readonly string[], known: number): string[] {
  const { records, problems } = readAll(instancesPath);
  const intended = new Set(intendedNames(records.slice(known)));
  return [
    ...problems,
    ...gone.filter((name) => !intended.has(name)).map((name) => `${name} is gone, and no record says that it was to go`),
  ];
}

/** Passes of which the records do not say how they ended: after another pass there is none. */
export function unrecovered(instancesPath: string): string[] {
  return openPasses(recordsOf(instancesPath)).map(
    ({ pass, intents }) => `pass ${pass} has no end, and ${intents.length} intents no outcome`,
  );
}
