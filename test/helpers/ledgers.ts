import { hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryOpener } from '../../src/http/history-route.ts';
import { readHistory } from '../../src/ledger/history/history.ts';
import { openLedger } from '../../src/ledger/reading/open-ledger.ts';
import { NO_RECORD_BEFORE, segmentName, type LedgerEnd, type LedgerEntry, type LedgerHead } from '../../src/model/ledger/records.ts';

const BLANKS = '\n'.repeat(4096);
const START_MS = Date.parse('2026-11-01T00:00:00.000Z');

/** Writes a ledger as the agent does, record by record, and remembers as little. */
export class LedgerMaker {
  readonly directory: string;
  readonly #segmentBytes: number;
  readonly #segments: string[] = [];
  #fd = -1;
  #bytes = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #last: LedgerEnd = { seq: 0, hash: NO_RECORD_BEFORE };

  constructor(directory: string, { segmentBytes = 1 << 20 }: { readonly segmentBytes?: number } = {}) {
    this.directory = directory;
    this.#segmentBytes = segmentBytes;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#next();
  }

  get last(): LedgerEnd {
    return this.#last;
  }

  /** The number of the record. */
  add(entry: LedgerEntry | object, atMs: number = START_MS + this.#last.seq * 1000): number {
    const seq = this.#last.seq + 1;
    const line = JSON.stringify({ seq, prev: this.#last.hash, at: new Date(atMs).toISOString(), ...entry });
    if (this.#bytes + line.length + 1 > this.#segmentBytes) this.#next();
    this.#waiting.push(line);
    this.#bytes += line.length + 1;
    this.#waitingBytes += line.length + 1;
    if (this.#waitingBytes > 1 << 20) this.#flush();
    this.#last = { seq, hash: hash('sha256', line, 'hex') };
    return seq;
  }

  /** With head.json, and blank lines behind the last record. */
  close(): LedgerHead {
    this.#flush();
    writeSync(this.#fd, BLANKS);
    closeSync(this.#fd);
    const head = { first: { seq: 1, prev: NO_RECORD_BEFORE }, last: this.#last, segments: this.#segments };
    writeFileSync(join(this.directory, 'head.json'), `${JSON.stringify(head)}\n`, { mode: 0o600 });
    return head;
  }

  #next(): void {
    this.#flush();
    if (this.#fd >= 0) closeSync(this.#fd);
    const name = segmentName(this.#segments.length + 1);
    this.#segments.push(name);
    this.#fd = openSync(join(this.directory, name), 'w', 0o600);
    this.#bytes = 0;
  }

  #flush(): void {
    if (this.#waiting.length > 0) writeSync(this.#fd, `${this.#waiting.join('\n')}\n`);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

export const PASS = {
  type: 'pass',
  asked: { by: 'schedule' },
  version: '0.2.0',
  node: 'node-1',
  preset: 'kubernetes',
  mode: 'enforce',
  basePath: '/var/lib/nova/instances/_base',
  process: '4f1c',
  pid: 1,
} as const;

export const EVIDENCE = {
  type: 'evidence',
  sources: [{ name: 'pods', state: 'synced', listedAt: '2026-11-01T00:00:00.000Z', resourceVersion: '4711', workloads: 12, gaps: 0 }],
  overlays: { read: 40 },
  unseen: 0,
} as const;

export function intent(pass: number, evidence: number, over: object = {}) {
  return {
    type: 'intent',
    pass,
    evidence,
    action: 'unlink',
    kind: 'original',
    name: '0d5e6b61602d758984b3bf038267614d6016eb2a',
    sizeBytes: 4096,
    allocatedBytes: 4096,
    device: '64768',
    inode: '131',
    modifiedAtNs: '1761955200000000000',
    imageSha1: '0d5e6b61602d758984b3bf038267614d6016eb2a',
    verdict: 'remove',
    reason: 'Unused',
    ...over,
  } as const;
}

/** A pass that removes these files, by batches of this size; all of them, with their outcomes and its end. Returns its number. */
export function addPass(
  maker: LedgerMaker,
  names: Iterable<string>,
  { batch = 64, over = {} }: { readonly batch?: number; readonly over?: object } = {},
): number {
  const pass = maker.add({ ...PASS, ...over });
  let removed = 0;
  let first = 0;
  let evidence = 0;
  const settle = (): void => {
    if (first === 0) return;
    maker.add({ type: 'outcome', pass, outcome: 'removed', intents: [[first, maker.last.seq]] });
    first = 0;
  };
  for (const name of names) {
    if (removed % batch === 0) {
      settle();
      evidence = maker.add({ ...EVIDENCE, pass });
    }
    const seq = maker.add(intent(pass, evidence, { name, imageSha1: name.slice(0, 40), inode: String(1000 + removed) }));
    if (first === 0) first = seq;
    removed += 1;
  }
  settle();
  maker.add({ type: 'end', pass, outcomes: { removed, kept: 3 } });
  return pass;
}

/** Names of base files, from a number on. */
export function* namesFrom(first: number, count: number): Generator<string> {
  for (let index = first; index < first + count; index += 1) yield hash('sha1', String(index), 'hex');
}

/** The history that an agent of `node-1` shows of a ledger. */
export function historyIn(directory: string): HistoryOpener {
  return (query) => {
    const files = openLedger(directory);
    if (files === undefined) throw new Error(`there is no ledger in ${directory}`);
    const opening = { apiVersion: 'basekeeper.io/v1', kind: 'LedgerHistory', node: 'node-1', directory };
    return { opening, isShort: true, entries: () => readHistory(files, query), close: () => files.close() };
  };
}
