import { describe, expect, it } from 'vitest';
import type { GATE_REASONS } from '../../../../src/model/reasons.ts';
import { checkGate } from '../../../../src/plan/gate/gate.ts';
import { DIGEST, IMAGE, NOW_MS, baseFile, snapshot, synced, workload, type SnapshotParts } from '../../../helpers/snapshot.ts';

const closing: Readonly<Record<keyof typeof GATE_REASONS, readonly SnapshotParts[]>> = {
  SourceNotSynced: [
    { inventory: { sources: [synced(), synced({ name: 'pods', state: 'syncing' })] } },
    { inventory: { sources: [synced({ state: 'failed' })] } },
  ],
  SourceStale: [
    { inventory: { sources: [synced({ lastContactMs: NOW_MS - 60_001 })] } },
    { inventory: { sources: [synced({ lastContactMs: undefined })] } },
  ],
  ConsistentListMissing: [
    { inventory: { sources: [synced({ consistentListAtMs: undefined })] } },
    { inventory: { sources: [synced({ consistentListAtMs: NOW_MS - 1001 })] } },
  ],
  WorkloadIncomplete: [
    { inventory: { gaps: [{ kind: 'UnmappedWorkload', source: 'pods', message: 'pod a/b' }] } },
    { inventory: { gaps: [{ kind: 'IncompleteWorkload', source: 'pods', message: 'pod a/b' }] } },
    { inventory: { gaps: [{ kind: 'UnreadableSource', source: 'file', message: 'no such file' }] } },
  ],
  Unseen: [
    { overlays: { unseen: [{ path: 'vm/disk', cause: 'NotUnderstood', message: 'EIO' }] } },
    { overlays: { unseen: [{ path: 'vm', cause: 'NotEntered', message: 'permission denied' }] } },
  ],
  ScanIncomplete: [{ scan: { problems: [{ path: '_base/x', code: 'EIO', message: 'input/output error' }] } }],
  ClockNotSane: [
    { surroundings: { ClockNotSane: ["the clock of this machine is 864000 s ahead of the API server's"] } },
    { previousPass: { wallMs: NOW_MS - 61_000, monotonicMs: 5000 } },
    { previousPass: { wallMs: NOW_MS + 61_000, monotonicMs: 5000 } },
    { scannedAt: { wallMs: NOW_MS - 90_000, monotonicMs: 5000 } },
    { files: [baseFile({ modifiedAtMs: NOW_MS + 61_000 })], workloads: [workload({ images: [{ role: 'image', ref: IMAGE }] })] },
    {
      files: [baseFile({ modifiedAtMs: NOW_MS + 61_000 })],
      overlays: {
        overlays: [
          {
            instance: 'vm',
            path: 'vm/disk',
            state: 'ok',
            chain: [{ reference: DIGEST, baseName: DIGEST, path: `_base/${DIGEST}`, exists: true, protects: [DIGEST] }],
          },
        ],
      },
    },
  ],
  DirectoryOpenToAll: [{ scan: { openDirectories: ['/var/lib/nova/instances/_base'] } }],
  DirectoryMismatch: [{ surroundings: { DirectoryMismatch: ['/i/_base: "/victim" is mounted there'] } }],
  SharedUndeclared: [{ surroundings: { SharedUndeclared: ['/i/compute_nodes names other hosts'] } }],
  HostWorkloadsUnknown: [
    { inventory: { sharedStorage: { hosts: [{ name: 'host-b', state: 'unknown', message: 'it has not reported' }] } } },
  ],
  HostStale: [{ inventory: { sharedStorage: { hosts: [{ name: 'host-b', state: 'stale', registeredAtMs: 0 }] } } }],
  StorageRegistryBroken: [{ inventory: { sharedStorage: { hosts: [], problem: 'compute_nodes: it is empty' } } }],
  HostsUnsettled: [{ inventory: { sharedStorage: { hosts: [], unsettled: 'the first agent registered only a while ago' } } }],
  EmptyInventory: [{ workloads: [] }],
};

describe('the gate', () => {
  it('should be open when the evidence is complete', () => {
    expect(checkGate(snapshot())).toEqual({ open: true, reasons: [] });
  });

  it.each(Object.entries(closing).flatMap(([reason, cases]) => cases.map((parts, index) => [reason, index + 1, parts] as const)))(
    'should close for %s, case %i, and name only that',
    (reason, _index, parts) => {
      const gate = checkGate(snapshot(parts));
      expect(gate.open).toBe(false);
      expect(gate.reasons.map((closure) => closure.reason)).toEqual([reason]);
      expect(gate.reasons[0]?.message).not.toBe('');
    },
  );

  it('should say why a source was not listed, where that is known', () => {
    const unlisted = synced({ consistentListAtMs: undefined, message: 'the list is longer than 5 bytes' });
    expect(checkGate(snapshot({ inventory: { sources: [unlisted] } })).reasons).toEqual([
      { reason: 'ConsistentListMissing', message: 'source file was not listed after the scan: the list is longer than 5 bytes' },
    ]);
  });

  it('should ignore a source that does not exist', () => {
    const absent = synced({ name: 'virtualMachineInstances', state: 'absent', lastContactMs: undefined, consistentListAtMs: undefined });
    expect(checkGate(snapshot({ inventory: { sources: [synced(), absent] } })).open).toBe(true);
  });

  it('should believe in an empty inventory where the configuration does', () => {
    expect(checkGate(snapshot({ workloads: [], policy: { allowEmptyInventory: true } })).open).toBe(true);
  });

  it('should name the host that it is closed for, and mind none that is known or does not count', () => {
    const others = [
      { name: 'host-a', state: 'own' },
      { name: 'host-c', state: 'known' },
      { name: 'host-d', state: 'ignored' },
    ] as const;
    expect(checkGate(snapshot({ inventory: { sharedStorage: { hosts: others } } })).open).toBe(true);
    const hosts = [...others, { name: 'host-b', state: 'unknown', message: 'it has not reported' }] as const;
    expect(checkGate(snapshot({ inventory: { sharedStorage: { hosts } } })).reasons).toEqual([
      { reason: 'HostWorkloadsUnknown', message: 'host "host-b": it has not reported' },
    ]);
  });

  it('should not mind an unused or foreign file from the future', () => {
    const files = [baseFile({ modifiedAtMs: NOW_MS + 1e9 }), baseFile({ name: 'x', kind: 'foreign', modifiedAtMs: NOW_MS + 1e9 })];
    expect(checkGate(snapshot({ files })).open).toBe(true);
  });

  it('should accept a disk that stands on something elsewhere', () => {
    const chain = [{ reference: 'nbd://host/export', baseName: undefined, path: undefined, exists: false, protects: [] }];
    expect(
      checkGate(snapshot({ overlays: { overlays: [{ instance: 'vm', path: 'vm/disk', state: 'unknown-backing', chain }] } })).open,
    ).toBe(true);
  });

  it('should name every reason at once, with a few examples of each', () => {
    const gaps = ['a', 'b', 'c', 'd', 'e'].map((message) => ({ kind: 'UnmappedWorkload', source: 'pods', message }) as const);
    const gate = checkGate(snapshot({ workloads: [], inventory: { sources: [synced({ state: 'failed', message: 'HTTP 403' })], gaps } }));
    expect(gate.reasons).toEqual([
      { reason: 'SourceNotSynced', message: 'source file is failed: HTTP 403' },
      { reason: 'WorkloadIncomplete', message: 'a; b; c; and 2 more' },
      { reason: 'EmptyInventory', message: 'no source knows a single workload; set allowEmptyInventory if this node may have none' },
    ]);
  });
});
