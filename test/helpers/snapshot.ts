import type { BaseFile } from '../../src/model/scan.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { SourceStatus, Workload } from '../../src/model/workload.ts';
import { baseRows } from './base-rows.ts';
import { collectReferences } from '../../src/references/collect.ts';

export const NOW_MS = Date.parse('2026-11-23T14:00:00Z');
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** SHA-1 of `fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0`, the check value of Nova's naming. */
export const IMAGE = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
export const DIGEST = '0d5e6b61602d758984b3bf038267614d6016eb2a';

export const POLICY: Policy = {
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
  lockTimeoutSeconds: 10,
  pins: { imageRefs: [], fileNames: [] },
  trash: { enabled: false, graceSeconds: 259_200 },
};

export function baseFile(over: Partial<BaseFile> = {}): BaseFile {
  const modifiedAtMs = over.modifiedAtMs ?? NOW_MS - 2 * DAY_MS;
  return {
    name: DIGEST,
    kind: 'original',
    sizeBytes: 2048,
    allocatedBytes: 1024,
    modifiedAtNs: BigInt(Math.round(modifiedAtMs)) * 1_000_000n,
    device: 1n,
    inode: 7n,
    ...over,
    modifiedAtMs,
  };
}

export function workload(over: Partial<Workload> = {}): Workload {
  return {
    source: 'file',
    name: 'vm-1',
    instanceNames: ['vm-1'],
    resizing: false,
    images: [],
    swapMb: [],
    ephemeral: [],
    paths: [],
    ...over,
  };
}

export function synced(over: Partial<SourceStatus> = {}): SourceStatus {
  return { name: 'file', state: 'synced', lastContactMs: NOW_MS, freshLimitMs: 60_000, consistentListAtMs: NOW_MS, ...over };
}

export interface SnapshotParts {
  readonly policy?: Partial<Policy>;
  readonly files?: readonly BaseFile[];
  readonly workloads?: readonly Workload[];
  readonly scan?: Partial<Snapshot['scan']>;
  readonly inventory?: Partial<Snapshot['inventory']>;
  readonly overlays?: Partial<Snapshot['overlays']>;
  readonly now?: Snapshot['now'];
  readonly scannedAt?: Snapshot['scannedAt'];
  readonly previousPass?: Snapshot['previousPass'];
  readonly surroundings?: Snapshot['surroundings'];
}

/** A snapshot whose gate is open: one synced source with one unrelated VM. */
export function snapshot(parts: SnapshotParts = {}): Snapshot {
  const workloads = parts.workloads ?? [workload()];
  const files = parts.files ?? [baseFile()];
  return {
    node: 'node-a',
    policy: { ...POLICY, ...parts.policy },
    now: parts.now ?? { wallMs: NOW_MS, monotonicMs: 5000 },
    scannedAt: parts.scannedAt ?? { wallMs: NOW_MS - 1000, monotonicMs: 4000 },
    previousPass: parts.previousPass,
    surroundings: parts.surroundings,
    scan: {
      basePath: '/var/lib/nova/instances/_base',
      exists: true,
      files: baseRows(files),
      newestModifiedAtMs: Math.max(...files.map(({ modifiedAtMs }) => modifiedAtMs)),
      irregularEntries: 0,
      partialDownloads: new Map(),
      problems: [],
      filesystem: undefined,
      cacheUsageBytes: 1024,
      ...parts.scan,
    },
    inventory: { sources: [synced()], workloads, gaps: [], ...parts.inventory },
    references: collectReferences(workloads, '_base'),
    overlays: { overlays: [], baseImages: [], unseen: [], ignored: [], headersRead: 0, headersCached: 0, ...parts.overlays },
  };
}
