import { createHash } from 'node:crypto';
import type { PlannedFile } from '../../src/model/plan.ts';
import type { Report } from '../../src/model/report.ts';
import type { VerdictReason } from '../../src/model/reasons.ts';
import type { AgentView } from '../../src/report/status-page/agent-view.ts';
import { plannedFile, removableFile, report, TAKEN_AT, VM } from './reports.ts';

export const AGENT: AgentView = {
  node: 'node-1',
  version: '1.2.3',
  mode: 'enforce',
  passRunning: false,
  nextPassMs: Date.parse(TAKEN_AT) + 2_400_000,
  lastRemoval: { at: TAKEN_AT, what: '3 base files removed, 12.0 GiB' },
  nowMs: Date.parse(TAKEN_AT) + 720_000,
};

const REASONS: readonly VerdictReason[] = [
  'ReferencedByWorkload',
  'BackingFileOfOverlay',
  'YoungerThanMinimumAge',
  'PinnedByConfig',
  'Unused',
];

/** A file whose size, age and reason follow from its number. */
export function numberedFile(index: number): PlannedFile {
  const digest = createHash('sha1').update(`image ${index}`).digest('hex');
  const reason = REASONS[index % REASONS.length] ?? 'Unused';
  const isUsed = index % REASONS.length < 2;
  const make = reason === 'Unused' ? removableFile : plannedFile;
  return make({
    name: index % 7 === 3 ? `${digest}_20` : digest,
    kind: index % 7 === 3 ? 'resized' : 'original',
    allocatedBytes: (index + 1) * 2 ** 20,
    ageSeconds: (index + 1) * 3600,
    reason,
    verdict: isUsed ? 'touch' : reason === 'Unused' ? 'remove' : 'keep',
    outcome: isUsed ? 'touched' : 'kept',
    usedBy: isUsed ? [{ by: `tenant/vm-${index}`, through: 'image', value: `image ${index}` }] : [],
  });
}

export function reportOfSize(count: number, over: Partial<Report> = {}): Report {
  return report({ ...over, files: Array.from({ length: count }, (_, index) => numberedFile(index)) });
}

/** Something of everything that the page can show. */
export function fullReport(): Report {
  const many = Array.from({ length: 60 }, (_, index) => ({
    by: `tenant/vm-${index}`,
    through: 'image',
    value: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0',
  })) satisfies PlannedFile['usedBy'];
  return report({
    result: 'Held',
    gate: {
      open: false,
      reasons: [
        { reason: 'SourceStale', message: 'source pods has been silent for more than 300 s' },
        { reason: 'WorkloadIncomplete', message: 'pod tenant/web mounts /var/lib/nova/instances, but no rule says which images it uses' },
      ],
    },
    files: [
      plannedFile({ usedBy: many, verdict: 'touch', outcome: 'touched', allocatedBytes: 21 * 2 ** 30 }),
      ...Array.from({ length: 8 }, (_, index) => numberedFile(index + 900)),
      removableFile({ name: 'a'.repeat(40), outcome: 'removed', allocatedBytes: 5 * 2 ** 30 }),
      removableFile({
        name: 'b'.repeat(40),
        outcome: 'RemovalFailed',
        outcomeMessage: 'EROFS: read-only file system',
        allocatedBytes: 2 ** 31,
      }),
      removableFile({ name: 'c'.repeat(40), outcome: 'InUseByQemu', allocatedBytes: 2 ** 30 }),
      plannedFile({ name: 'd'.repeat(40), reason: 'GateClosed', allocatedBytes: 3 * 2 ** 30 }),
      plannedFile({ name: 'swap_512', kind: 'swap', reason: 'YoungerThanMinimumAge', allocatedBytes: 4096, ageSeconds: 600 }),
      plannedFile({ name: 'ephemeral_20_40d1d2c', kind: 'ephemeral', allocatedBytes: 2 ** 25, ageSeconds: -5 }),
      plannedFile({ name: 'notes.txt', kind: 'foreign', reason: 'ForeignFile', allocatedBytes: 4096 }),
    ],
    findings: [
      {
        type: 'BackingFileMissing',
        workload: 'instance-00000007',
        object: VM,
        message: 'instance-00000007/disk: its backing file does not exist',
      },
      {
        type: 'UnmappedWorkload',
        workload: 'tenant/web',
        message: 'pod tenant/web mounts /var/lib/nova/instances, but no rule says which images it uses',
      },
      {
        type: 'BackingFileUnknown',
        workload: 'instance-00000009',
        message: 'instance-00000009/disk stands on 0d5e…, which no workload’s image explains',
      },
    ],
    sources: [
      { name: 'pods', state: 'synced', workloads: 12, gaps: 1, lastContact: TAKEN_AT },
      { name: 'virtualMachineInstances', state: 'absent', workloads: 0, gaps: 0, message: 'the API kubevirt.io/v1 does not exist' },
      { name: 'file', state: 'failed', workloads: 0, gaps: 1, message: 'workloads.yaml: EACCES' },
    ],
    filesystem: { sizeBytes: 500 * 2 ** 30, availableBytes: 123 * 2 ** 30 },
    overlays: { ok: 14, flat: 2, 'missing-backing': 1 },
  });
}
