import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { Sliced } from '../../lib/slices.ts';
import type { Provenance } from '../../model/filesystem.ts';
import type { LedgerAudit, NotedEnd } from '../../model/ledger/audit.ts';
import { NO_RECORD_BEFORE, type LedgerHead } from '../../model/ledger/records.ts';
import type { LedgerFiles } from '../reading/files.ts';
import { advice } from './advice.ts';
import { Chain } from './chain.ts';
import { parseWrittenHead } from '../head-text.ts';
import { Problems } from './problems.ts';
import { Tally } from './tally.ts';

export interface AuditOptions {
  /** What was noted of records elsewhere. */
  readonly marks?: readonly NotedEnd[] | undefined;
  /** Who may own the files; undefined: anyone, as with a copy. */
  readonly owners?: readonly number[] | undefined;
}

const MAY_BE_WRITTEN_BY_OTHERS = 0o022;

/** Follows every record of a ledger and counts what it says. Reads the files once, and holds little of them. */
export function* auditLedger(files: LedgerFiles, { marks = [], owners }: AuditOptions = {}): Sliced<LedgerAudit> {
  const problems = new Problems();
  const found = headOf(files, problems);
  const head = found === 'absent' ? undefined : found;
  const segments = withoutDropped(files.segments(), head);
  const noted = head === undefined || head.last.seq === 0 ? marks : [{ ...head.last, by: 'head.json' }, ...marks];
  const tally: Tally = new Tally(problems, () => chain.place);
  const beginning = head?.first ?? { seq: 1, prev: NO_RECORD_BEFORE };
  const chain: Chain = new Chain({ beginning, marks: noted, problems, visit: (record) => tally.record(record) });
  const suspect = (name: string | undefined, provenance: Provenance): void => {
    const stranger = owners === undefined ? undefined : strangerOf(provenance, owners);
    if (stranger !== undefined) problems.add({ kind: 'NotOurs', segment: name, message: stranger });
  };
  suspect(undefined, files.provenance);
  for (const segment of segments) {
    chain.beginSegment(segment);
    try {
      suspect(segment, yield* files.read(segment, chain));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      problems.add({ kind: 'FileUnreadable', segment, message: `${messageOf(error)}${advice.unreadable}` });
    }
  }
  if (head !== undefined) compareSegments(head.segments, segments, problems);
  if (found === 'absent') headless('there is none', problems);
  chain.finish();
  return summaryOf(files.directory, { segments: segments.length, chain, tally, problems, head });
}

function summaryOf(
  directory: string,
  {
    segments,
    chain,
    tally,
    problems,
    head,
  }: { segments: number; chain: Chain; tally: Tally; problems: Problems; head: LedgerHead | undefined },
): LedgerAudit {
  const { records, first, last } = chain;
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'LedgerAudit',
    directory,
    segments,
    records,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
    passes: tally.passes,
    intents: tally.intents,
    outcomes: tally.outcomes,
    problems: problems.listed,
    moreProblems: problems.more,
    notes: [...(head === undefined || last === undefined ? [] : afterHead(head, last.seq)), ...chain.notes(), ...tally.notes()],
  };
}

/** Retention says first where the ledger begins, and drops then what lies before: a process that is killed leaves some of it. */
function withoutDropped(there: readonly string[], head: LedgerHead | undefined): readonly string[] {
  const [first] = head?.segments ?? [];
  return first === undefined ? there : there.slice(Math.max(0, there.indexOf(first)));
}

/** Segments that were begun since the head was written may follow. */
function compareSegments(named: readonly string[], there: readonly string[], problems: Problems): void {
  const index = named.findIndex((segment, position) => segment !== there[position]);
  if (index === -1) return;
  const message = `head.json names it, and ${there[index] ?? 'nothing'} is in its place${advice.missing}`;
  problems.add({ kind: 'SegmentMissing', segment: named[index], message });
}

/** `absent`: before the first pass has ended. */
function headOf(files: LedgerFiles, problems: Problems): LedgerHead | 'absent' | undefined {
  try {
    const text = files.head();
    if (text === undefined) return 'absent';
    const head = parseWrittenHead(text);
    if (head === undefined) headless('it is not what this version writes', problems);
    return head;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    headless(messageOf(error), problems);
    return undefined;
  }
}

function headless(what: string, problems: Problems): void {
  const message = `${what}: neither the beginning nor the end is known${advice.head}`;
  problems.add({ kind: 'HeadUnreadable', segment: 'head.json', message });
}

function strangerOf({ uid, mode }: Provenance, owners: readonly number[]): string | undefined {
  if (!owners.includes(uid)) return `it belongs to user ${uid}, who may have written it${advice.owner}`;
  if ((mode & MAY_BE_WRITTEN_BY_OTHERS) !== 0) return `its mode ${(mode & 0o777).toString(8)} lets others write it${advice.owner}`;
  return undefined;
}

function afterHead({ last }: LedgerHead, seq: number): readonly string[] {
  const more = seq - last.seq;
  if (more <= 0) return [];
  const records = more === 1 ? '1 record is' : `${more} records are`;
  return [`${records} younger than head.json: a pass is at work, or was killed; the next one writes head.json`];
}
