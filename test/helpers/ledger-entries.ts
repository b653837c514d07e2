import type { Intent, LedgerEntry } from '../../src/model/ledger/records.ts';

/** What is recorded of an unused original. */
export function intentOf(name: string, rest: Partial<Intent> = {}): Intent {
  return {
    action: 'unlink',
    kind: 'original',
    name,
    sizeBytes: 4096,
    allocatedBytes: 4096,
    device: '1',
    inode: '100',
    modifiedAtNs: '1700000000000000000',
    verdict: 'remove',
    reason: 'Unused',
    ...rest,
  };
}

/** One of each kind, as a pass writes them. */
export const ledgerEntries: readonly LedgerEntry[] = [
  { type: 'recovered', torn: { bytes: 12, sha256: 'a'.repeat(64) } },
  {
    type: 'pass',
    asked: { by: 'run-now', value: 'today' },
    version: '0.2.0',
    node: 'node-1',
    preset: 'safe',
    mode: 'enforce',
    basePath: '/var/lib/nova/instances/_base',
    process: 'c0ffee',
    pid: 1,
  },
  {
    type: 'evidence',
    pass: 2,
    sources: [{ name: 'pods', state: 'synced', listedAt: '2026-11-29T12:00:00.000Z', resourceVersion: '12', workloads: 3, gaps: 0 }],
    overlays: { ok: 3 },
    unseen: 0,
  },
  { type: 'intent', pass: 2, evidence: 3, ...intentOf('0'.repeat(40), { imageSha1: '0'.repeat(40) }) },
  { type: 'intent', pass: 2, evidence: 3, ...intentOf('swap_1', { kind: 'swap', action: 'empty', entry: 'swap_1.1', verdict: 'empty' }) },
  { type: 'outcome', pass: 2, outcome: 'removed', intents: [[4, 5]] },
  { type: 'end', pass: 2, outcomes: { removed: 2, kept: 1 } },
  { type: 'recovered', pass: 2, gone: [[4, 4]], there: [[5, 5]] },
];
