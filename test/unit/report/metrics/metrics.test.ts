import { describe, expect, it } from 'vitest';
import { BASE_FILE_KINDS } from '../../../../src/model/scan.ts';
import type { PlannedFile } from '../../../../src/model/plan.ts';
import type { Report } from '../../../../src/model/report.ts';
import {
  FINDINGS,
  GATE_REASONS,
  OUTCOMES,
  PASS_RESULTS,
  type FindingType,
  type GateReason,
  type Outcome,
  type VerdictReason,
} from '../../../../src/model/reasons.ts';
import type { SourceStatus } from '../../../../src/model/workload.ts';
import { digestOf } from '../../../../src/report/digest.ts';
import { METRICS } from '../../../../src/report/metrics/definitions.ts';
import { createMetrics, OTHER_HOST_STATES, type Metrics } from '../../../../src/report/metrics/metrics.ts';
import { heldReport, plannedFile, removableFile, report, TAKEN_AT, undecidedReport } from '../../../helpers/reports.ts';

const SYNCED: SourceStatus = {
  name: 'pods',
  state: 'synced',
  lastContactMs: 1_700_000_000_500,
  freshLimitMs: 1,
  consistentListAtMs: undefined,
};

function setUp(): Metrics & { show: (of: Report) => void; samples: () => Promise<Map<string, number>> } {
  const metrics = createMetrics({ version: '1.2.3', processMetrics: false, checksums: true, ledger: true });
  return {
    ...metrics,
    show: (of) => metrics.observe(of, digestOf(of)),
    samples: async () => samplesOf((await metrics.scrape(undefined)).body),
  };
}

/** Series → value. */
function samplesOf(body: string): Map<string, number> {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** A node on which everything happens that can happen to one. */
function fullestNode({ shared }: { readonly shared: boolean }): Metrics {
  const metrics = setUp();
  metrics.setMode('enforce');
  const reasons: VerdictReason[] = [
    'ReferencedByWorkload',
    'BackingFileOfOverlay',
    'PinnedByConfig',
    'YoungerThanMinimumAge',
    'GateClosed',
    'Unused',
  ];
  const kinds = BASE_FILE_KINDS.filter((kind) => kind !== 'foreign');
  // Every kind is used, too young and unused at once; the images' files are in every other state as well.
  const usual = new Set<VerdictReason>(['ReferencedByWorkload', 'YoungerThanMinimumAge', 'Unused']);
  const files: PlannedFile[] = kinds.flatMap((kind) =>
    reasons
      .filter((reason) => kind === 'original' || kind === 'resized' || usual.has(reason))
      .map((reason) => (reason === 'Unused' ? removableFile({ kind }) : plannedFile({ kind, reason }))),
  );
  files.push(plannedFile({ kind: 'foreign', reason: 'ForeignFile' }));
  for (const outcome of Object.keys(OUTCOMES) as Outcome[]) files.push(removableFile({ outcome }));
  const findings = (Object.keys(FINDINGS) as FindingType[]).map((type) => ({ type, message: 'x' }));
  const gateReasons = (Object.keys(GATE_REASONS) as GateReason[]).map((reason) => ({ reason, message: 'x' }));
  const sources = ['pods', 'virtualMachineInstances', 'file', ...(shared ? ['sharedStorage'] : [])];
  const hosts = (['own', ...OTHER_HOST_STATES] as const).map((state) => ({ name: state, state, registeredAt: '2026-11-23T14:00:00.000Z' }));
  let passes = 1;
  for (const result of PASS_RESULTS) {
    metrics.show(
      report({
        result,
        files,
        findings,
        gate: { open: false, reasons: gateReasons },
        stageSeconds: { scan: 0.1, references: 0.1, overlays: 0.1, plan: 0.1, execute: 0.1 },
        lockWaitSeconds: [0.1, 5],
        filesystem: { sizeBytes: 2, availableBytes: 1 },
        ...(shared ? { sharedStorage: { hosts } } : {}),
        ledger: { last: { seq: passes++, hash: 'x' }, bytes: 1 },
        sources: sources.map((name) => ({ name, state: 'synced', workloads: 1, gaps: 1 })),
      }),
    );
  }
  metrics.watchSources(() => sources.map((name) => ({ ...SYNCED, name })));
  for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const) {
    for (const code of ['200', '404', '429', '500', 'error']) metrics.requestObserver(verb, code);
  }
  return metrics;
}

describe('the metrics', () => {
  it('should be those of the list, all of them, and none else', async () => {
    const { body } = await fullestNode({ shared: true }).scrape(undefined);
    const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(names).toEqual(Object.entries(METRICS).map(([name, { type }]) => `${name} ${type}`));
  });

  it.each([
    [174, 'the fullest node', false],
    [186, 'the fullest node that shares its directory', true],
  ])('should stay below %i series on %s', async (limit, _, shared) => {
    const { body } = await fullestNode({ shared }).scrape(undefined);
    expect(samplesOf(body).size).toBeGreaterThan(120);
    expect(samplesOf(body).size).toBeLessThanOrEqual(limit);
  });

  it('should count what is read for checksums as it is read, and say nothing of them where none are kept', async () => {
    const metrics = setUp();
    metrics.checksumObserver.read(1000);
    metrics.checksumObserver.read(24);
    metrics.checksumObserver.checked();
    const ofChecksums = (samples: Map<string, number>) => [...samples].filter(([series]) => series.includes('checksum'));
    expect(ofChecksums(await metrics.samples())).toEqual([
      ['basekeeper_checksum_files_total', 1],
      ['basekeeper_checksum_read_bytes_total', 1024],
    ]);
    const { body } = await createMetrics({ version: '1', processMetrics: false }).scrape(undefined);
    expect(ofChecksums(samplesOf(body))).toEqual([]);
  });

  it('should say nothing of other hosts where the directory is not shared', async () => {
    const { body } = await fullestNode({ shared: false }).scrape(undefined);
    expect([...samplesOf(body).keys()].filter((series) => /storage|Host/i.test(series))).toEqual([]);
  });

  it('should count the hosts by what is known of them, and name none', async () => {
    const { body } = await fullestNode({ shared: true }).scrape(undefined);
    expect(body).toContain('basekeeper_storage_hosts{state="unknown"} 1');
    expect(body).toContain('basekeeper_gate_closed{reason="HostWorkloadsUnknown"} 1');
  });

  it('should carry no label but those of the list', async () => {
    const { body } = await fullestNode({ shared: true }).scrape(undefined);
    const labels = new Set([...body.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label));
    expect([...labels].toSorted((a, b) => a.localeCompare(b))).toEqual([
      'cause',
      'code',
      'kind',
      'le',
      'mode',
      'reason',
      'result',
      'source',
      'stage',
      'state',
      'type',
      'verb',
      'version',
    ]);
  });

  it.each(Object.entries(METRICS))('should explain %s by a sentence', (_name, { help }) => {
    expect(help).toMatch(/^[A-Z0-9].{15,}\.$/);
  });

  it('should have every counter from the start, so that its first increment is seen', async () => {
    const samples = await setUp().samples();
    expect(samples.get('basekeeper_passes_total{result="Failed"}')).toBe(0);
    expect(samples.get('basekeeper_removed_files_total{kind="swap"}')).toBe(0);
    expect(samples.get('basekeeper_removed_bytes_total{kind="original"}')).toBe(0);
    expect(samples.get('basekeeper_removal_failures_total{reason="RemovalFailed"}')).toBe(0);
  });

  it('should say nothing of the file system before the first pass', async () => {
    const names = [...(await setUp().samples()).keys()];
    expect(names.filter((name) => /filesystem|reclaimable|oldest/.test(name))).toEqual([]);
  });

  it('should come from registries of their own', async () => {
    const first = setUp();
    const second = setUp();
    first.show(report());
    expect((await second.samples()).get('basekeeper_passes_total{result="Succeeded"}')).toBe(0);
  });
});

describe('a pass', () => {
  it('should show files and bytes by kind and state, and nothing of the pass before', async () => {
    const metrics = setUp();
    metrics.show(report());
    metrics.show(report({ files: [plannedFile({ kind: 'swap', reason: 'YoungerThanMinimumAge', allocatedBytes: 4096 })] }));
    const samples = await metrics.samples();
    const shown = [...samples].filter(([name]) => name.startsWith('basekeeper_base_'));
    expect(shown).toEqual([
      ['basekeeper_base_files{kind="swap",state="young"}', 1],
      ['basekeeper_base_bytes{kind="swap",state="young"}', 4096],
    ]);
  });

  it('should not show files any more that it removed', async () => {
    const metrics = setUp();
    metrics.show(
      report({
        files: [removableFile({ outcome: 'removed' }), removableFile({ outcome: 'AlreadyGone' }), removableFile({ outcome: 'LockBusy' })],
      }),
    );
    const samples = await metrics.samples();
    expect(samples.get('basekeeper_base_files{kind="original",state="unused"}')).toBe(1);
    expect(samples.get('basekeeper_reclaimable_bytes')).toBe(2 ** 30);
    expect(samples.get('basekeeper_removed_files_total{kind="original"}')).toBe(1);
    expect(samples.get('basekeeper_removed_bytes_total{kind="original"}')).toBe(2 ** 30);
    expect(samples.get('basekeeper_removal_failures_total{reason="LockBusy"}')).toBe(1);
  });

  it('should show the age of the oldest unused file that is still there', async () => {
    const metrics = setUp();
    const files = [
      removableFile({ outcome: 'removed', ageSeconds: 9000 }),
      removableFile({ ageSeconds: 700 }),
      plannedFile({ ageSeconds: 99_999 }),
    ];
    metrics.show(report({ files }));
    expect((await metrics.samples()).get('basekeeper_oldest_unused_seconds')).toBe(700);
    metrics.show(report());
    expect((await metrics.samples()).get('basekeeper_oldest_unused_seconds')).toBe(0);
  });

  it('should show every reason that closes the gate as 1, all others as 0', async () => {
    const metrics = setUp();
    metrics.show(heldReport());
    const samples = await metrics.samples();
    const gate = [...samples].filter(([name]) => name.startsWith('basekeeper_gate_closed'));
    // Those about hosts are only for nodes that share their directory.
    expect(gate).toHaveLength(Object.keys(GATE_REASONS).length - 4);
    expect(gate.filter(([, value]) => value === 1)).toEqual([['basekeeper_gate_closed{reason="SourceNotSynced"}', 1]]);
  });

  it('should leave the node as it was when it decided nothing', async () => {
    const metrics = setUp();
    metrics.show(report());
    metrics.show(undecidedReport('Failed', 'EIO'));
    const samples = await metrics.samples();
    expect(samples.get('basekeeper_base_files{kind="original",state="used"}')).toBe(1);
    expect(samples.get('basekeeper_passes_total{result="Failed"}')).toBe(1);
  });

  it.each(['Succeeded', 'DryRun', 'Held'] as const)('should count as a success when it is %s', async (result) => {
    const metrics = setUp();
    metrics.show(report({ result, durationSeconds: 0.5 }));
    expect((await metrics.samples()).get('basekeeper_last_success_timestamp_seconds')).toBe(Date.parse(TAKEN_AT) / 1000 + 0.5);
  });

  it.each(['Failed', 'Skipped'] as const)('should not count as a success when it is %s', async (result) => {
    const metrics = setUp();
    metrics.show(undecidedReport(result, 'x'));
    expect((await metrics.samples()).get('basekeeper_last_success_timestamp_seconds')).toBe(0);
  });
});

describe('what is live', () => {
  it('should be the sources as they are at the scrape', async () => {
    const metrics = setUp();
    let sources: readonly SourceStatus[] = [SYNCED];
    metrics.watchSources(() => sources);
    const before = await metrics.samples();
    expect(before.get('basekeeper_source_synced{source="pods"}')).toBe(1);
    expect(before.get('basekeeper_source_last_contact_timestamp_seconds{source="pods"}')).toBe(1_700_000_000.5);
    sources = [{ ...SYNCED, state: 'failed', lastContactMs: undefined }];
    const after = await metrics.samples();
    expect(after.get('basekeeper_source_synced{source="pods"}')).toBe(0);
    expect(after.has('basekeeper_source_last_contact_timestamp_seconds{source="pods"}')).toBe(false);
  });

  it('should be the mode that was set last', async () => {
    const metrics = setUp();
    metrics.setMode('dry-run');
    metrics.setMode('off');
    expect([...(await metrics.samples())].filter(([name]) => name.startsWith('basekeeper_mode'))).toEqual([
      ['basekeeper_mode{mode="off"}', 1],
    ]);
  });

  it('should count API requests by verb and code, rare ones together', async () => {
    const metrics = setUp();
    for (let code = 200; code < 220; code++) metrics.requestObserver('get', String(code));
    metrics.requestObserver('get', '200');
    const samples = await metrics.samples();
    expect(samples.get('basekeeper_api_requests_total{verb="get",code="200"}')).toBe(2);
    expect(samples.get('basekeeper_api_requests_total{verb="other",code="other"}')).toBe(11);
  });
});

describe('the format', () => {
  const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

  it.each([
    [undefined, TEXT],
    ['*/*', TEXT],
    ['text/plain', TEXT],
    ['application/openmetrics-text', OPEN],
    ['application/openmetrics-text; version=0.0.1', TEXT],
    ['text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5', TEXT],
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      OPEN,
    ],
    ['application/openmetrics-text;q=nonsense', TEXT],
  ])('should be what the Accept header %j prefers', async (accept, contentType) => {
    expect((await setUp().scrape(accept)).contentType).toBe(contentType);
  });

  it('should not change for the next scrape when one asks for OpenMetrics', async () => {
    const metrics = setUp();
    const before = await metrics.scrape(undefined);
    const open = await metrics.scrape('application/openmetrics-text');
    expect(open.body).toMatch(/\n# EOF\n$/);
    expect(open.body).toContain('# TYPE basekeeper_passes counter\nbasekeeper_passes_total{');
    expect(await metrics.scrape(undefined)).toEqual(before);
  });
});
