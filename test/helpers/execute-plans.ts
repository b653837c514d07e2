import { createHash } from 'node:crypto';
import type { BaseFileKind } from '../../src/model/scan.ts';
import type { Plan, PlannedFile, Verdict } from '../../src/model/plan.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Clock, Objection, UseCheck } from '../../src/model/ports.ts';
import type { VerdictReason } from '../../src/model/reasons.ts';

export const DAY_MS = 86_400_000;

/** Nova's `get_cache_fname`. */
export function baseName(imageRef: string): string {
  return createHash('sha1').update(imageRef).digest('hex');
}

export const executionPolicy: Policy = {
  preset: 'safe',
  naming: 'strict',
  overlays: 'all',
  removeUnusedBaseImages: true,
  originalMinimumAgeSeconds: 86_400,
  resizedMinimumAgeSeconds: 3600,
  minimumAgeFloorSeconds: 600,
  maxRemovalsPerPass: 0,
  forceRawImages: false,
  ignore: [],
  touchBackingFiles: true,
  removeLockFiles: false,
  allowEmptyInventory: false,
  liveUseCheck: true,
  lockTimeoutSeconds: 0,
  pins: { imageRefs: [], fileNames: [] },
  trash: { enabled: false, graceSeconds: 259_200 },
};

const REASONS: Readonly<Record<Verdict, VerdictReason>> = {
  keep: 'YoungerThanMinimumAge',
  touch: 'ReferencedByWorkload',
  remove: 'Unused',
};

export interface RowOptions {
  readonly kind?: BaseFileKind;
  readonly minimumAgeSeconds?: number | undefined;
  readonly reason?: VerdictReason;
}

/** A plan's row. What the executor does not read is filled in anyhow. */
export function plannedFile(name: string, verdict: Verdict, identity: PlannedFile['identity'], options: RowOptions = {}): PlannedFile {
  const { device, inode, modifiedAtNs } = identity;
  const modifiedAtMs = Number(modifiedAtNs) / 1e6;
  return {
    name,
    kind: options.kind ?? 'original',
    sizeBytes: 4096,
    allocatedBytes: 4096,
    modifiedAt: new Date(modifiedAtMs).toISOString(),
    ageSeconds: 0,
    minimumAgeSeconds: 'minimumAgeSeconds' in options ? options.minimumAgeSeconds : 86_400,
    verdict,
    reason: options.reason ?? REASONS[verdict],
    usedBy: [],
    identity: { device, inode, modifiedAtNs },
  };
}

export function planOf(basePath: string, files: readonly PlannedFile[], gateOpen = true): Plan {
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Plan',
    node: 'node-1',
    takenAt: '2026-11-23T14:00:00.000Z',
    preset: 'safe',
    basePath,
    gate: gateOpen ? { open: true, reasons: [] } : { open: false, reasons: [{ reason: 'SourceStale', message: 'pods' }] },
    files,
    findings: [],
    totals: { files: files.length, allocatedBytes: 0, reclaimableFiles: 0, reclaimableBytes: 0, removedFiles: 0, removedBytes: 0 },
    states: [],
    overlays: {},
    sources: [],
    cacheUsageBytes: 0,
  };
}

/** Asks for one file after the other. */
export function perFile(ask: (name: string, signal: AbortSignal | undefined) => Promise<readonly Objection[]>): UseCheck {
  return async (names, signal) => {
    const answers = new Map<string, readonly Objection[]>();
    for (const name of names) answers.set(name, await ask(name, signal));
    return answers;
  };
}

/** Nothing speaks against any removal. */
export const nobody: UseCheck = perFile(async () => []);

/** A clock that stands still. */
export function stoppedClock(wallMs: number): Clock {
  return { now: () => ({ wallMs, monotonicMs: 0 }) };
}
