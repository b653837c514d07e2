import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { BaseFile, BaseFileKind, BaseScan } from '../../model/scan.ts';
import type { BaseScanner, FileLocker } from '../../model/ports.ts';
import type { ChecksumObserver } from '../../model/verification.ts';
import type { ChecksumDirectory } from './directory.ts';
import { isRecordOf, lastCheckedMs, recordAfter, type ChecksumIdentity, type ChecksumRecord } from './record.ts';
import type { KnownMismatches } from './mismatches.ts';
import type { OpenDirectory } from '../../disk/held-directory.ts';
import { hashPaced, type PacedHashParts } from './paced-hash.ts';

/** Swap and ephemeral files are as Nova formatted them, and stand for no image. */
const RECORDED_KINDS: ReadonlySet<BaseFileKind> = new Set(['original', 'resized', 'legacy']);
/** A file is not read again sooner. */
const RECHECK_MS = 86_400_000;
/** After this the directory is listed again, so that new files get their turn. */
const ROUND_MS = 3_600_000;
const FILES_PER_TURN = 16;

export interface ChecksumRoundParts extends Omit<PacedHashParts, 'onRead'> {
  readonly base: OpenDirectory;
  readonly records: ChecksumDirectory;
  readonly scanner: BaseScanner;
  readonly locker: FileLocker;
  readonly minimumAgeFloorSeconds: number;
  readonly mismatches: KnownMismatches;
  readonly observer?: ChecksumObserver | undefined;
  /** Whether to stop here and now, for a while. */
  readonly paused: () => boolean;
}

export interface ChecksumCounts {
  recordedFiles: number;
  verifiedFiles: number;
  mismatchedFiles: number;
  /** Young, being written, or another file by now: a later round's. */
  deferredFiles: number;
  unreadableFiles: number;
  readBytes: number;
  /** What could not be read first. */
  firstError?: string;
}

interface Turn extends ChecksumIdentity {
  readonly name: string;
  readonly lastCheckedMs: number;
}

/** Lists the base files and reads those whose turn it is, one at a time, the longest unchecked first. Per-file problem is counted; throws errno errors of the directory. */
export async function checksumRound(parts: ChecksumRoundParts): Promise<ChecksumCounts> {
  const counts: ChecksumCounts = {
    recordedFiles: 0,
    verifiedFiles: 0,
    mismatchedFiles: 0,
    deferredFiles: 0,
    unreadableFiles: 0,
    readBytes: 0,
  };
  const scan = await parts.scanner.scan({ signal: parts.signal });
  const endMs = parts.clock.now().monotonicMs + ROUND_MS;
  for (const turn of await turnsOf(parts, scan, counts)) {
    if (parts.signal.aborted || parts.paused() || parts.clock.now().monotonicMs > endMs) break;
    await nextTurn();
    await takeTurn(parts, turn, counts);
  }
  return counts;
}

async function turnsOf(parts: ChecksumRoundParts, scan: BaseScan, counts: ChecksumCounts): Promise<readonly Turn[]> {
  const { records, clock, mismatches } = parts;
  const { wallMs } = clock.now();
  const turns: Turn[] = [];
  const names = new Set<string>();
  let looked = 0;
  for (const file of scan.files) {
    if (looked++ % FILES_PER_TURN === 0) await nextTurn();
    if (!isRecordable(file)) continue;
    names.add(file.name);
    const identity = { inode: file.inode.toString(), sizeBytes: file.sizeBytes };
    let record: ChecksumRecord | undefined;
    try {
      record = records.read(file.name);
    } catch (error) {
      countProblem(counts, file.name, error);
      continue;
    }
    if (record !== undefined && !isRecordOf(identity, record)) record = undefined;
    mismatches.note(file.name, record);
    const checkedMs = lastCheckedMs(record, wallMs);
    if (wallMs - checkedMs >= RECHECK_MS) turns.push({ name: file.name, ...identity, lastCheckedMs: checkedMs });
  }
  // What a listing left out because of a problem is not gone.
  if (scan.exists && scan.problems.length === 0) {
    records.prune((name) => names.has(name), wallMs);
    mismatches.keepOnly(names);
  }
  return turns.toSorted((a, b) => (a.lastCheckedMs === b.lastCheckedMs ? 0 : a.lastCheckedMs - b.lastCheckedMs));
}

function isRecordable({ name, kind }: BaseFile): boolean {
  return RECORDED_KINDS.has(kind) && !name.startsWith('.');
}

async function takeTurn(parts: ChecksumRoundParts, turn: Turn, counts: ChecksumCounts): Promise<void> {
  try {
    const result = await checkFile(parts, turn, (bytes) => {
      counts.readBytes += bytes;
      parts.observer?.read(bytes);
    });
    counts[`${result}Files`]++;
    if (result !== 'deferred') parts.observer?.checked();
  } catch (error) {
    countProblem(counts, turn.name, error);
  }
}

function countProblem(counts: ChecksumCounts, name: string, error: unknown): void {
  if (errnoOf(error) === undefined) throw error;
  counts.unreadableFiles++;
  counts.firstError ??= `${name}: ${messageOf(error)}`;
}

async function checkFile(
  parts: ChecksumRoundParts,
  turn: Turn,
  onRead: (bytes: number) => void,
): Promise<'recorded' | 'verified' | 'mismatched' | 'deferred'> {
  const { base, records, clock, mismatches } = parts;
  const { name } = turn;
  const remembered = records.read(name);
  const known = remembered !== undefined && isRecordOf(turn, remembered) ? remembered : undefined;
  // What is known already may be read at any time; only what it comes to must not be judged while somebody writes.
  if (known === undefined && !(isOld(parts, name) && (await isUnlocked(parts, name)))) return 'deferred';
  const found = await hashPaced(base, name, { ...parts, onRead });
  // Another file by now has its turn in a later round.
  if (found === undefined || !isRecordOf(turn, found)) return 'deferred';
  const record = recordAfter(known, found, found.sha256, new Date(clock.now().wallMs).toISOString());
  const agrees = known !== undefined && record.differs === undefined;
  if (!agrees && !(found.still && (await isUnlocked(parts, name)))) return 'deferred';
  await records.write(name, record);
  mismatches.note(name, record);
  if (agrees) return 'verified';
  return record.differs === undefined ? 'recorded' : 'mismatched';
}

function isOld({ base, clock, minimumAgeFloorSeconds }: ChecksumRoundParts, name: string): boolean {
  const stat = base.entries.stat(name);
  return stat !== undefined && clock.now().wallMs - stat.modifiedAtMs >= minimumAgeFloorSeconds * 1000;
}

/** Whether its Nova lock can be had at once. It is not kept: reading takes minutes, and VMs that start would wait for it. */
async function isUnlocked({ locker, signal }: ChecksumRoundParts, name: string): Promise<boolean> {
  const lock = await locker.acquire(name, { timeoutSeconds: 0, signal });
  lock?.release({ remove: false });
  return lock !== undefined;
}
