import { errnoOf } from '../lib/errors.ts';
import { runNow } from '../lib/slices.ts';
import { sleep } from '../lib/sleep.ts';
import type { Config } from '../config/types.ts';
import type { HistoryOpener } from '../http/history-route.ts';
import { auditLedger } from '../ledger/audit/audit.ts';
import { ledgerPath } from '../ledger/directory.ts';
import { readHistory } from '../ledger/history/history.ts';
import type { LedgerFiles } from '../ledger/reading/files.ts';
import { openLedger } from '../ledger/reading/open-ledger.ts';
import type { HistoryReading } from '../model/ledger/history.ts';
import type { LedgerAudit, NotedEnd } from '../model/ledger/audit.ts';
import type { LedgerReading, Wiring } from './wiring.ts';

/** A pass may write while it is read. */
const ATTEMPTS = 10;
const PAUSE_MS = 300;

type Source = Parameters<Wiring['openLedger']>[0];

/** Throws where there is none. */
export function readLedger(source: Source): LedgerReading {
  const isCopy = 'directory' in source;
  const directory = isCopy ? source.directory : directoryOf(source.config);
  const owners = isCopy ? undefined : ourUsers();
  const files = openFiles(directory, isCopy);
  return {
    directory,
    audit: (noted, signal) => auditSteadily(files, { marks: noted, owners }, signal),
    history: (query) => readHistory(files, query),
    close: () => files.close(),
  };
}

/** What the agent answers to `/history`; undefined where it records nothing. */
export function historyOpener(config: Config): HistoryOpener | undefined {
  const { nodeName: node } = config;
  return (query) => {
    const directory = directoryOf(config);
    const files = openLedger(directory);
    const opening = { apiVersion: 'basekeeper.io/v1', kind: 'LedgerHistory', node, directory };
    // Nothing was removed yet.
    if (files === undefined) return { opening, isShort: true, entries: nothing, close: () => {} };
    return { opening, isShort: true, entries: () => readHistory(files, query), close: () => files.close() };
  };
}

function nothing(): HistoryReading {
  return { next: () => ({ done: true, value: { unreadable: 0 } }) };
}

function directoryOf({ ledger, locksPath }: Config): string {
  return ledgerPath({ ...ledger, locksPath });
}

function ourUsers(): readonly number[] {
  return [0, process.geteuid?.() ?? 0];
}

function openFiles(directory: string, isCopy: boolean): LedgerFiles {
  try {
    const files = openLedger(directory);
    if (files !== undefined) return files;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new Error(`the ledger ${directory} cannot be opened`, { cause: error });
  }
  const hint = isCopy ? 'check --ledger' : 'the first removal of a pass makes it; check --config or --instances-path';
  throw new Error(`there is no ledger in ${directory}: ${hint}`);
}

/** A record that is half written, or a segment that is dropped, looks like a wound: what is found must be found twice. */
async function auditSteadily(
  files: LedgerFiles,
  options: { readonly marks: readonly NotedEnd[]; readonly owners: readonly number[] | undefined },
  signal: AbortSignal,
): Promise<LedgerAudit> {
  for (let attempt = 1; ; attempt += 1) {
    const before = files.version();
    const audit = runNow(auditLedger(files, options));
    if (audit.problems.length === 0 || files.version() === before || attempt === ATTEMPTS) return audit;
    await sleep(PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}
