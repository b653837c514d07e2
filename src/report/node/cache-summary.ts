import { parseJson } from '../../lib/json.ts';
import { BASE_FILE_KINDS, type BaseFileKind } from '../../model/scan.ts';
import { FILE_STATES, type FileState, GATE_REASONS, type GateReason } from '../../model/reasons.ts';
import type { Report } from '../../model/report.ts';
import type { ReportDigest } from '../digest.ts';

/** Files, then allocated bytes. */
export type Amount = readonly [files: number, bytes: number];

/** What `basekeeper.io/cache` holds, as compact JSON: the state of the cache after the last pass. */
export interface CacheSummary {
  readonly total: Amount;
  /** What a pass in `enforce` mode would remove now, were the gate open. */
  readonly reclaimable: Amount;
  /** What the last pass removed. */
  readonly removed: Amount;
  /** Why the gate is closed; empty when it is open. */
  readonly held: readonly GateReason[];
  /** What the agent does, for a result that does not say it. */
  readonly mode?: 'dry-run' | 'enforce' | undefined;
  /** The agent is silent where the annotations are older; absent where it does not know when its passes are, as with a cron expression. */
  readonly silentAfter?: number | undefined;
  /** Kind → state → amount. Left out where the annotations would become too long. */
  readonly kinds?: Readonly<Partial<Record<BaseFileKind, Readonly<Partial<Record<FileState, Amount>>>>>> | undefined;
}

export function cacheSummary(report: Report, digest: ReportDigest, silentAfter?: number): CacheSummary {
  const { totals, gate, result, dryRun } = report;
  const { remaining, remainingStates } = digest;
  const kinds: Partial<Record<BaseFileKind, Partial<Record<FileState, Amount>>>> = {};
  for (const kind of BASE_FILE_KINDS) {
    for (const state of FILE_STATES) {
      const row = remainingStates.find((it) => it.kind === kind && it.state === state);
      if (row !== undefined) (kinds[kind] ??= {})[state] = [row.files, row.allocatedBytes];
    }
  }
  return {
    total: [remaining.files, remaining.allocatedBytes],
    reclaimable: [remaining.reclaimableFiles, remaining.reclaimableBytes],
    removed: [totals.removedFiles, totals.removedBytes],
    held: gate.reasons.map(({ reason }) => reason),
    ...(result !== 'Held' || dryRun === undefined ? {} : { mode: dryRun ? 'dry-run' : 'enforce' }),
    ...(silentAfter === undefined ? {} : { silentAfter }),
    kinds,
  };
}

/** Reads the annotation, which anybody may have written: undefined for anything that is not ours. */
export function parseCacheSummary(text: string): CacheSummary | undefined {
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const { total, reclaimable, removed, held, mode, silentAfter, kinds } = value;
  if (!isAmount(total) || !isAmount(reclaimable) || !isAmount(removed) || !Array.isArray(held)) return undefined;
  return {
    total,
    reclaimable,
    removed,
    held: held.filter(isGateReason),
    ...(mode === 'dry-run' || mode === 'enforce' ? { mode } : {}),
    ...(typeof silentAfter === 'number' && silentAfter > 0 && Number.isFinite(silentAfter) ? { silentAfter } : {}),
    ...(isRecord(kinds) ? { kinds: readKinds(kinds) } : {}),
  };
}

function readKinds(kinds: Readonly<Record<string, unknown>>): NonNullable<CacheSummary['kinds']> {
  const read: Partial<Record<BaseFileKind, Partial<Record<FileState, Amount>>>> = {};
  for (const kind of BASE_FILE_KINDS) {
    const states = kinds[kind];
    if (!isRecord(states)) continue;
    for (const state of FILE_STATES) {
      const amount = states[state];
      if (isAmount(amount)) (read[kind] ??= {})[state] = amount;
    }
  }
  return read;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAmount(value: unknown): value is Amount {
  return Array.isArray(value) && value.length === 2 && value.every((it) => typeof it === 'number' && Number.isFinite(it));
}

function isGateReason(value: unknown): value is GateReason {
  return typeof value === 'string' && Object.hasOwn(GATE_REASONS, value);
}
