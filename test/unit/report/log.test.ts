import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/report/digest.ts';
import { createLogReporter } from '../../../src/report/log.ts';
import type { Report } from '../../../src/model/report.ts';
import { memoryLogger } from '../../helpers/memory-kube.ts';
import { heldReport, missingBackingFile, plannedFile, removableFile, report, undecidedReport } from '../../helpers/reports.ts';

function setUp() {
  const logger = memoryLogger();
  const reporter = createLogReporter(logger);
  const show = async (of: Report) => {
    const before = logger.lines.length;
    for (const file of of.files) reporter.file?.(file, of);
    await reporter.publish(of, digestOf(of), {});
    return logger.lines.slice(before);
  };
  return { show };
}

describe('the log', () => {
  it('should have one line at info for a pass in which nothing happened', async () => {
    expect(await setUp().show(report())).toEqual([
      {
        level: 'info',
        message: 'pass ended: 1 base file, 1.0 GiB',
        fields: {
          result: 'Succeeded',
          durationSeconds: 0.5,
          files: 1,
          allocatedBytes: 2 ** 30,
          reclaimableFiles: 0,
          reclaimableBytes: 0,
          removedFiles: 0,
          removedBytes: 0,
          findings: 0,
        },
      },
    ]);
  });

  it('should have one line for each removal, and none for what is kept or touched', async () => {
    const files = [
      plannedFile(),
      plannedFile({ verdict: 'touch', outcome: 'touched' }),
      removableFile({ name: 'swap_1', outcome: 'removed' }),
      removableFile({ name: 'swap_2', outcome: 'RemovalFailed', outcomeMessage: 'EROFS' }),
      removableFile({ name: 'swap_3', outcome: 'InUseByQemu' }),
      plannedFile({ name: 'swap_4', verdict: 'touch', outcome: 'TouchFailed' }),
    ];
    const lines = await setUp().show(report({ files }));
    expect(lines.slice(0, -1)).toMatchObject([
      { level: 'info', fields: { file: 'swap_1', outcome: 'removed' } },
      { level: 'error', fields: { file: 'swap_2', reason: 'EROFS' } },
      { level: 'info', fields: { file: 'swap_3', outcome: 'InUseByQemu' } },
      { level: 'warn', fields: { file: 'swap_4', outcome: 'TouchFailed' } },
    ]);
  });

  it('should warn of a finding once, and again when it comes back', async () => {
    const { show } = setUp();
    const found = report({ findings: [missingBackingFile()] });
    const warnings = async (of: Report) => (await show(of)).filter(({ level }) => level === 'warn');
    expect(await warnings(found)).toMatchObject([{ fields: { finding: 'BackingFileMissing', workload: 'instance-00000001' } }]);
    expect(await warnings(found)).toEqual([]);
    expect(await warnings(undecidedReport('Skipped', 'the mode is off'))).toEqual([]);
    expect(await warnings(found)).toEqual([]);
    expect(await warnings(report())).toEqual([]);
    expect(await warnings(found)).toHaveLength(1);
  });

  it('should name so many new findings a pass only, the others in the next', async () => {
    const { show } = setUp();
    const findings = Array.from({ length: 150 }, (_, index) => missingBackingFile({ message: `disk ${index}` }));
    const count = async () => (await show(report({ findings }))).filter(({ level }) => level === 'warn').length;
    expect([await count(), await count(), await count()]).toEqual([101, 50, 0]);
  });

  it('should warn when removals become held, and tell when they no longer are', async () => {
    const { show } = setUp();
    const messages = async (of: Report) => (await show(of)).map(({ message }) => message).slice(0, -1);
    expect(await messages(heldReport())).toEqual(['removals are held']);
    expect(await messages(heldReport())).toEqual([]);
    expect(await messages(report())).toEqual(['removals are no longer held']);
  });

  it('should have a failed pass at error', async () => {
    expect(await setUp().show(undecidedReport('Failed', 'EIO: _base'))).toMatchObject([
      { level: 'error', message: 'pass ended: failed: EIO: _base', fields: { result: 'Failed', reason: 'EIO: _base' } },
    ]);
  });

  it('should hold no character that deceives a reader or a terminal', async () => {
    const evil = '\u001B[2J\u202Eevil\u009B\u2028';
    const lines = await setUp().show(
      report({
        result: 'Failed',
        message: evil,
        gate: { open: false, reasons: [{ reason: 'ScanIncomplete', message: evil }] },
        files: [removableFile({ name: evil, outcome: 'RemovalFailed', outcomeMessage: evil })],
        findings: [missingBackingFile({ message: evil, file: evil, workload: evil })],
      }),
    );
    expect(lines).toHaveLength(4);
    const text = lines.map(({ fields, message }) => message + JSON.stringify(fields)).join('');
    expect(text).toContain('evil');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  });
});
