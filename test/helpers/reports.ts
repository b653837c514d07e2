import type { Finding, Plan, PlannedFile, PlannedTrashedFile, TrashPlan } from '../../src/model/plan.ts';
import type { Report } from '../../src/model/report.ts';
import type { ObjectReference } from '../../src/model/workload.ts';
import { planOf } from '../../src/report/plan-of.ts';

export const TAKEN_AT = '2026-11-23T14:00:00.000Z';

export const NODE: ObjectReference = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'uid-1' };
export const VM: ObjectReference = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  namespace: 'tenant',
  name: 'vm-1',
  uid: 'uid-vm-1',
};

/** The time of the n-th second after `TAKEN_AT`. */
export function later(seconds: number): string {
  return new Date(Date.parse(TAKEN_AT) + seconds * 1000).toISOString();
}

export function plannedFile(over: Partial<PlannedFile> = {}): PlannedFile {
  return {
    name: '0d5e6b61602d758984b3bf038267614d6016eb2a',
    kind: 'original',
    sizeBytes: 2 ** 30,
    allocatedBytes: 2 ** 30,
    modifiedAt: '2026-11-20T14:00:00.000Z',
    ageSeconds: 259_200,
    minimumAgeSeconds: 86_400,
    verdict: 'keep',
    reason: 'ReferencedByWorkload',
    usedBy: [],
    identity: { device: '1', inode: '7', modifiedAtNs: '1' },
    outcome: 'kept',
    ...over,
  };
}

export function removableFile(over: Partial<PlannedFile> = {}): PlannedFile {
  return plannedFile({ verdict: 'remove', reason: 'Unused', ...over });
}

const STATES = {
  ForeignFile: 'foreign',
  ReferencedByWorkload: 'used',
  BackingFileOfOverlay: 'backing',
  BackingFileOfBaseFile: 'backing',
  PinnedByConfig: 'pinned',
  RemovalDisabled: 'held',
  YoungerThanMinimumAge: 'young',
  GateClosed: 'held',
  RemovalLimitReached: 'held',
  UnderPressure: 'unused',
  OverBudget: 'unused',
  Unused: 'unused',
} as const;

/** A file that was moved to the trash two days before the pass, with a grace of one. */
export function trashedFile(entry: string, over: Partial<PlannedTrashedFile> = {}): PlannedTrashedFile {
  return {
    entry,
    name: entry.replace(/\.\d+$/, ''),
    kind: 'original',
    sizeBytes: 2 ** 30,
    allocatedBytes: 2 ** 30,
    trashedAt: '2026-11-21T14:00:00.000Z',
    graceEndsAt: '2026-11-22T14:00:00.000Z',
    verdict: 'empty',
    reason: 'GraceOver',
    identity: { device: '1', inode: '1', modifiedAtNs: '1' },
    ...over,
  };
}

/** A trash of these files, of which the first is due and none has been moved. */
export function trashPlan(files: readonly PlannedTrashedFile[]): TrashPlan {
  const none = { trashedFiles: 0, trashedBytes: 0, restoredFiles: 0, restoredBytes: 0, emptiedFiles: 0, emptiedBytes: 0 };
  const totals = { files: files.length, allocatedBytes: files.length * 2 ** 30, dueFiles: 1, dueBytes: 2 ** 30, ...none };
  return { enabled: true, graceSeconds: 86_400, files, totals };
}

/** A report whose totals and states fit its files. */
export function report(over: Partial<Report> & { files?: readonly PlannedFile[] } = {}): Report {
  const files = over.files ?? [plannedFile()];
  const sum = (some: readonly PlannedFile[]): number => some.reduce((bytes, { allocatedBytes }) => bytes + allocatedBytes, 0);
  const removed = files.filter(({ outcome }) => outcome === 'removed');
  const reclaimable = files.filter(({ reason }) =>
    ['Unused', 'UnderPressure', 'OverBudget', 'GateClosed', 'RemovalLimitReached'].includes(reason),
  );
  const groups = Map.groupBy(files, ({ kind, reason }) => `${kind} ${STATES[reason]}`);
  return {
    apiVersion: 'basekeeper.io/v1',
    kind: 'Report',
    node: 'node-1',
    takenAt: TAKEN_AT,
    preset: 'safe',
    basePath: '/var/lib/nova/instances/_base',
    gate: { open: true, reasons: [] },
    findings: [],
    totals: {
      files: files.length,
      allocatedBytes: sum(files),
      reclaimableFiles: reclaimable.length,
      reclaimableBytes: sum(reclaimable),
      removedFiles: removed.length,
      removedBytes: sum(removed),
    },
    states: [...groups.values()].flatMap((group) => {
      const [first] = group;
      return first === undefined
        ? []
        : [{ kind: first.kind, state: STATES[first.reason], files: group.length, allocatedBytes: sum(group) }];
    }),
    overlays: {},
    sources: [{ name: 'pods', state: 'synced', workloads: 1, gaps: 0, lastContact: TAKEN_AT }],
    cacheUsageBytes: sum(files),
    result: 'Succeeded',
    durationSeconds: 0.5,
    stageSeconds: { scan: 0.1, plan: 0.1 },
    lockWaitSeconds: [],
    ...over,
    files,
  };
}

export function heldReport(over: Partial<Report> = {}): Report {
  return report({
    result: 'Held',
    gate: { open: false, reasons: [{ reason: 'SourceNotSynced', message: 'source pods is syncing' }] },
    files: [plannedFile({ reason: 'GateClosed' })],
    ...over,
  } as Partial<Report> & { files: PlannedFile[] });
}

/** As `emptyReport` makes them. */
export function undecidedReport(result: 'Failed' | 'Skipped', message: string, takenAt: string = TAKEN_AT): Report {
  return report({ result, message, takenAt, files: [], sources: [], gate: { open: false, reasons: [] } });
}

export function missingBackingFile(over: Partial<Finding> = {}): Finding {
  return {
    type: 'BackingFileMissing',
    file: '0d5e6b61602d758984b3bf038267614d6016eb2a',
    workload: 'instance-00000001',
    object: VM,
    message: 'instance-00000001/disk: its backing file 0d5e… does not exist',
    ...over,
  };
}

/** One of each kind of document that is written in pieces. */
export const PLANS_AND_REPORTS: readonly (readonly [what: string, document: Plan | Report])[] = [
  ['a report', report({ files: [plannedFile(), removableFile({ outcome: 'removed' })], findings: [missingBackingFile()] })],
  ['a report with a trash', { ...report(), trash: trashPlan([trashedFile('swap_1.1'), trashedFile('swap_2.2')]) }],
  ['a report with an empty trash', { ...report(), trash: trashPlan([]) }],
  ['a plan', planOf(report({ files: [plannedFile()] }))],
  ['a report without files and findings', report({ files: [] })],
];
