import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLedger } from '../../src/ledger/audit/audit.ts';
import { openLedger } from '../../src/ledger/reading/open-ledger.ts';
import { runNow } from '../../src/lib/slices.ts';
import type { LedgerAudit } from '../../src/model/ledger/audit.ts';
import { addPass, LedgerMaker, namesFrom } from '../helpers/ledgers.ts';
import type { Random } from './random.ts';

/** A ledger in memory: its files by name. */
type Files = Map<string, Buffer>;

/** One way to change a ledger. Returns what it did; undefined where it changed nothing. */
type Change = (files: Files, random: Random) => string | undefined;

const HEAD = 'head.json';

/** Everything that somebody may do to a ledger without making a chain of his own. */
export const CHANGES: Readonly<Record<string, Change>> = {
  'bit of a record': (files, random) => {
    const [name, bytes] = segment(files, random);
    const position = random.below(recordBytes(bytes));
    bytes[position] = (bytes[position] ?? 0) ^ (1 << random.below(8));
    return `${name} byte ${position}`;
  },
  'bit of the head': (files, random) => {
    const bytes = files.get(HEAD) ?? Buffer.alloc(0);
    // The line end says nothing.
    const position = random.below(bytes.length - 1);
    bytes[position] = (bytes[position] ?? 0) ^ (1 << random.below(8));
    return `byte ${position}`;
  },
  'byte that is gone': (files, random) => {
    const [name, bytes] = segment(files, random);
    const position = random.below(recordBytes(bytes));
    files.set(name, Buffer.concat([bytes.subarray(0, position), bytes.subarray(position + 1)]));
    return `${name} byte ${position}`;
  },
  'line that is gone': (files, random) =>
    inLines(files, random, (lines) => void lines.splice(random.below(lines.length), 1 + random.below(3))),
  'line that is there twice': (files, random) =>
    inLines(files, random, (lines) => void lines.splice(random.below(lines.length), 0, random.pick(lines))),
  'lines that changed places': (files, random) =>
    inLines(files, random, (lines) => {
      const [left, right] = [random.below(lines.length), random.below(lines.length)];
      [lines[left], lines[right]] = [lines[right] ?? '', lines[left] ?? ''];
    }),
  'line that was put in': (files, random) =>
    inLines(
      files,
      random,
      (lines) => void lines.splice(random.below(lines.length), 0, random.pick(['x', '{}', '{"seq":1}', '\u0000', ' '])),
    ),
  'line that was blanked': (files, random) => inLines(files, random, (lines) => void (lines[random.below(lines.length)] = '')),
  'tail that was cut': (files, random) => {
    const name = segmentsOf(files).at(-1) ?? '';
    const bytes = files.get(name) ?? Buffer.alloc(0);
    const length = random.below(recordBytes(bytes) - 1);
    files.set(name, bytes.subarray(0, length));
    return `${name} at ${length}`;
  },
  'segment that is gone': (files, random) => {
    const name = random.pick([segmentsOf(files)[0], random.pick(segmentsOf(files)), segmentsOf(files).at(-1)]) ?? '';
    files.delete(name);
    return name;
  },
  'segments that changed places': (files, random) => {
    const [left, right] = [random.pick(segmentsOf(files)), random.pick(segmentsOf(files))];
    const [first, second] = [files.get(left), files.get(right)];
    if (left === right || first === undefined || second === undefined) return undefined;
    files.set(left, second).set(right, first);
    return `${left} and ${right}`;
  },
  'head that is gone': (files) => {
    files.delete(HEAD);
    return HEAD;
  },
  'head of another record': (files, random) => {
    const head = JSON.parse(String(files.get(HEAD))) as { first: { seq: number }; last: { seq: number } };
    const part = random.pick([head.first, head.last]);
    part.seq += random.pick([-2, -1, 1, 2, 1000]);
    files.set(HEAD, Buffer.from(`${JSON.stringify(head)}\n`));
    return JSON.stringify(head);
  },
};

/** A ledger of three passes and several segments. */
export function smallLedger(): Files {
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-ledger-'));
  try {
    const maker = new LedgerMaker(directory, { segmentBytes: 8192 });
    for (const pass of [0, 1, 2]) addPass(maker, namesFrom(pass * 100, 20), { batch: 7 });
    maker.close();
    return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export interface Tried {
  readonly changes: number;
  /** How many of each kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Changes that the audit did not find. */
  readonly missed: readonly string[];
  /** How many changes had a problem of each kind. */
  readonly found: Readonly<Record<string, number>>;
}

/** Changes a ledger so often, each time in one way from the beginning, and audits it. */
export function tryChanges({ changes, random }: { readonly changes: number; readonly random: Random }): Tried {
  const whole = smallLedger();
  const directory = mkdtempSync(join(tmpdir(), 'basekeeper-ledger-'));
  const kinds: Record<string, number> = {};
  const found: Record<string, number> = {};
  const missed: string[] = [];
  try {
    let written: Files = new Map();
    const audited = (files: Files): LedgerAudit => {
      put(directory, files, written);
      written = files;
      return auditOf(directory);
    };
    if (audited(whole).problems.length > 0) throw new Error('the ledger is not whole before it is changed');
    for (let made = 0; made < changes;) {
      const kind = random.pick(Object.keys(CHANGES));
      const files = new Map([...whole].map(([name, bytes]) => [name, Buffer.from(bytes)]));
      const what = CHANGES[kind]?.(files, random);
      if (what === undefined) continue;
      made += 1;
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      const { problems } = audited(files);
      if (problems.length === 0) missed.push(`${kind}: ${what}`);
      for (const problem of new Set(problems.map((it) => it.kind))) found[problem] = (found[problem] ?? 0) + 1;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { changes, kinds, missed, found };
}

/** Only what differs from what is there. */
function put(directory: string, files: Files, written: Files): void {
  for (const name of written.keys()) if (!files.has(name)) rmSync(join(directory, name));
  for (const [name, bytes] of files) if (written.get(name)?.equals(bytes) !== true) writeFileSync(join(directory, name), bytes);
}

function auditOf(directory: string): LedgerAudit {
  const ledger = openLedger(directory);
  if (ledger === undefined) throw new Error('the ledger is gone');
  try {
    return runNow(auditLedger(ledger));
  } finally {
    ledger.close();
  }
}

function segmentsOf(files: Files): readonly string[] {
  return [...files.keys()].filter((name) => name !== HEAD).toSorted();
}

function segment(files: Files, random: Random): [string, Buffer] {
  const name = random.pick(segmentsOf(files));
  return [name, files.get(name) ?? Buffer.alloc(0)];
}

/** Without the last line end and what is blank behind it. */
function recordBytes(bytes: Buffer): number {
  let length = bytes.length;
  while (bytes[length - 1] === 0x0a) length -= 1;
  return length;
}

/** Undefined where the lines are the same afterwards. */
function inLines(files: Files, random: Random, change: (lines: string[]) => void): string | undefined {
  const [name, bytes] = segment(files, random);
  const lines = bytes.toString('latin1', 0, recordBytes(bytes)).split('\n');
  change(lines);
  const changed = Buffer.concat([Buffer.from(lines.join('\n'), 'latin1'), bytes.subarray(recordBytes(bytes))]);
  files.set(name, changed);
  return changed.equals(bytes) ? undefined : `${name}: ${lines.length} lines`;
}
