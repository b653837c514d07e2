import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Plan, PlannedFile } from '../../../../../src/model/plan.ts';
import type { Report } from '../../../../../src/model/report.ts';
import { planOf } from '../../../../../src/report/plan-of.ts';
import { planTable } from '../../../../../src/report/terminal/plan/table.ts';
import { heldReport, missingBackingFile, plannedFile, removableFile, report } from '../../../../helpers/reports.ts';

const DIGEST = '0d5e6b61602d758984b3bf038267614d6016eb2a';

function draw(plan: Plan | Report, width?: number, colour = false): string {
  return [...planTable(plan, { width, colour })].join('');
}

function lineOf(text: string, start: string): string {
  return text.split('\n').find((line) => line.startsWith(start)) ?? '';
}

function used(by: readonly string[], over: Partial<PlannedFile> = {}): PlannedFile {
  return plannedFile({
    verdict: 'touch',
    usedBy: by.map((name) => ({ by: name, through: 'image', value: 'x' })),
    outcome: 'touched',
    ...over,
  });
}

describe('the table of a plan', () => {
  it('should show a row for each file with human sizes and ages, and what is removed last', () => {
    const files = [
      removableFile({ ageSeconds: 90_000, allocatedBytes: 12.5 * 2 ** 30 }),
      plannedFile({ name: 'swap_512', kind: 'swap', reason: 'YoungerThanMinimumAge', ageSeconds: 3599 }),
      used(['default/vm-1'], { name: 'ephemeral_20_40d1d2c', kind: 'ephemeral', ageSeconds: 50 }),
    ];
    const rows = draw(planOf(report({ files })))
      .split('\n')
      .filter((line) => /^(?:NAME|[a-z0-9_]{8,} )/.test(line));
    expect(rows).toEqual([
      'NAME                                      KIND           SIZE  AGE  VERDICT  REASON                 USED BY',
      'swap_512                                  swap        1.0 GiB  59m  keep     YoungerThanMinimumAge',
      'ephemeral_20_40d1d2c                      ephemeral   1.0 GiB  50s  touch    ReferencedByWorkload   default/vm-1',
      `${DIGEST}  original   12.5 GiB  25h  remove   Unused`,
    ]);
  });

  it('should say in its head what it is about, where from, and that the gate is open', () => {
    const text = draw(planOf(report()));
    expect(text.split('\n').slice(0, 3)).toEqual([
      'Plan for node-1 at 2026-11-23 14:00:00 UTC: /var/lib/nova/instances/_base',
      'Source pods: synced, 1 workload',
      'Gate: open, removals are allowed',
    ]);
  });

  it('should say what pressure asks for and what the plan makes of it', () => {
    const pressure = {
      highThresholdPercent: 85,
      lowThresholdPercent: 80,
      usedPercent: 91.5,
      bytesToFree: 2 ** 30,
      plannedBytes: 2 ** 29,
      projectedUsedPercent: 85.7,
    };
    expect(draw(planOf(report({ pressure })))).toContain(
      'Pressure: the file system is 91.5 % full, 1.0 GiB to free; planned: 512.0 MiB, then 85.7 %\n',
    );
  });

  it('should say what the budget asks for and what the plan makes of it', () => {
    const within = { maxBytes: 2 ** 31, lowBytes: 2 ** 30, heldBytes: 2 ** 29, bytesToFree: 0, plannedBytes: 0, projectedBytes: 2 ** 29 };
    expect(draw(planOf(report({ budget: within })))).toContain('Budget: the cache holds 512.0 MiB of 2.0 GiB\n');
    const over = { ...within, heldBytes: 3 * 2 ** 30, bytesToFree: 2 ** 31, plannedBytes: 2 ** 29, projectedBytes: 2.5 * 2 ** 30 };
    expect(draw(planOf(report({ budget: { ...over, unseenEntries: 1, waitingFiles: 7 } })))).toContain(
      'Budget: the cache holds more than 3.0 GiB of 2.0 GiB, 2.0 GiB to free; planned: 512.0 MiB, then 2.5 GiB; 7 files may go in the next passes\n',
    );
  });

  it('should name every reason of a closed gate', () => {
    const text = draw(planOf(heldReport()));
    expect(text).toContain('Gate: closed, nothing is removed\n  SourceNotSynced: source pods is syncing\n');
    expect(text).toMatch(/\n1 base file, 1\.0 GiB; 1 removable, 1\.0 GiB; held: SourceNotSynced\n$/);
  });

  it('should say why a source has nothing to tell', () => {
    const sources = [{ name: 'pods', state: 'failed', workloads: 0, gaps: 2, message: '403 Forbidden' }] as const;
    expect(draw(planOf(report({ sources })))).toContain('Source pods: failed, 403 Forbidden, 2 gaps\n');
  });

  it('should sum up the files by reason, with its meaning', () => {
    const text = draw(planOf(report({ files: [removableFile(), removableFile({ name: 'swap_1' }), plannedFile()] })));
    expect(lineOf(text, 'Unused')).toBe('Unused                    2  2.0 GiB  Nothing uses it and it is old enough.');
  });

  it('should end with one line that sums it up', () => {
    expect(draw(planOf(report({ files: [removableFile(), plannedFile()] })))).toMatch(
      /\n\n2 base files, 2\.0 GiB; 1 removable, 1\.0 GiB\n$/,
    );
  });

  it('should show an empty base directory without a table', () => {
    expect(draw(planOf(report({ files: [] })))).toMatch(/allowed\n\n0 base files, 0 B; 0 removable, 0 B\n$/);
  });
});

describe('the table of a report', () => {
  it('should show what became of each file, and count what was not removed by its own reason', () => {
    const files = [removableFile({ outcome: 'removed' }), removableFile({ name: 'swap_1', kind: 'swap', outcome: 'InUseByQemu' })];
    const text = draw(report({ files, durationSeconds: 1.26 }));
    expect(lineOf(text, DIGEST)).toMatch(/ removed +Unused$/);
    expect(lineOf(text, 'swap_1')).toMatch(/ InUseByQemu +Unused$/);
    expect(lineOf(text, 'InUseByQemu')).toBe('InUseByQemu      1  1.0 GiB  QEMU holds its image locks on the file.');
    expect(text).toMatch(/\nSucceeded in 1\.3 s: 2 base files, 2\.0 GiB; 1 removed, 1\.0 GiB; 1 removable, 1\.0 GiB\n$/);
  });

  it('should say why a pass failed', () => {
    expect(draw(report({ result: 'Failed', message: '1 files could not be removed' }))).toContain(
      'Failed in 0.5 s (1 files could not be removed): ',
    );
  });
});

describe('findings below the table', () => {
  it('should be grouped under their meaning', () => {
    const text = draw(report({ findings: [missingBackingFile()] }));
    expect(text).toContain(
      "\nBackingFileMissing: An instance's disk names a backing file that does not exist.\n" +
        `  instance-00000001: ${DIGEST}: instance-00000001/disk: its backing file 0d5e… does not exist\n`.replace(
          'instance-00000001: 0',
          '0',
        ),
    );
  });

  it('should be cut off where they are many, and say where all of them are', () => {
    const findings = Array.from({ length: 25 }, (_, index) => missingBackingFile({ message: `disk ${index} is broken` }));
    expect(draw(report({ findings }))).toContain('and 5 more; --output wide shows all\n');
  });
});

describe('a terminal', () => {
  const findings = [missingBackingFile(), missingBackingFile({ type: 'BackingFileUnknown', message: 'word '.repeat(60).trimEnd() })];
  const files = [
    used(['tenant-a/instance-00000001'], { name: `${DIGEST}_10737418240`, kind: 'resized' }),
    used(['a/vm-1', 'a/vm-2', 'a/vm-3', 'a/vm-4', 'a/vm-4'], { name: 'f'.repeat(40) }),
    removableFile({ reason: 'YoungerThanMinimumAge', verdict: 'keep', ageSeconds: -5 }),
  ];

  it.each([80, 100, 140, 200])('of %i columns should be wide enough for every line', (width) => {
    const gate = { open: false, reasons: [{ reason: 'SourceNotSynced', message: 'word '.repeat(60) }] } as const;
    const lines = draw(planOf(report({ files, findings, gate })), width).split('\n');
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });

  it('should keep the digits of a resized file, and shorten the digest in the middle', () => {
    expect(draw(planOf(report({ files })), 80)).toMatch(/\n0d5\S*…\S*_10737418240 /);
  });

  it('should leave out the age first and then the users, and never the kind', () => {
    const headers = (width: number) => lineOf(draw(planOf(report({ files })), width), 'NAME').split(/ {2,}/);
    expect(headers(100)).toEqual(['NAME', 'KIND', 'SIZE', 'AGE', 'VERDICT', 'REASON', 'USED BY']);
    expect(headers(80)).toEqual(['NAME', 'KIND', 'SIZE', 'VERDICT', 'REASON', 'USED BY']);
    expect(headers(60)).toEqual(['NAME', 'KIND', 'SIZE', 'VERDICT', 'REASON']);
  });

  it('should keep the kind on 80 columns, also where outcomes are long', () => {
    const long = [plannedFile({ name: 'ephemeral_20_40d1d2c', kind: 'ephemeral', verdict: 'remove', outcome: 'ChangedSincePlan' })];
    const lines = draw(report({ files: long }), 80).split('\n');
    expect(lineOf(lines.join('\n'), 'NAME')).toMatch(/ KIND .* OUTCOME/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('should show names, users and findings as a whole where it is asked to be wide', () => {
    const many = Array.from({ length: 25 }, (_, index) => missingBackingFile({ message: `finding ${index}` }));
    const text = [...planTable(planOf(report({ files, findings: many })), { wide: true, colour: false })].join('');
    expect(text).toMatch(/ {2}a\/vm-1, a\/vm-2, a\/vm-3, a\/vm-4\n/);
    expect(text).toContain(`${DIGEST}_10737418240 `);
    expect(text).toContain('finding 24');
    expect(text).not.toContain('more');
  });

  it('should keep the end of the name of a VM, and only count several', () => {
    const text = draw(planOf(report({ files })), 80);
    expect(text).toMatch(/ …\S*0001\n/);
    expect(text).toMatch(/ 4 users\n/);
  });

  it('should name some users and count the rest where there is room', () => {
    expect(draw(planOf(report({ files })))).toMatch(/ {2}a\/vm-1, a\/vm-2, a\/vm-3 and 1 more\n/);
  });

  it('should get colours only where they are wanted', () => {
    const plain = draw(planOf(report({ files: [removableFile()] })));
    const coloured = draw(planOf(report({ files: [removableFile()] })), undefined, true);
    expect(plain).not.toContain('\u001B');
    expect(coloured).toContain('\u001B[31mremove');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it('should never see a control character, a direction mark or a line break of a name', () => {
    const hostile = 'a\u001B]0;x\u0007\nb\u202Ec';
    const text = draw(
      report({
        node: hostile,
        basePath: hostile,
        files: [used([hostile], { name: hostile, kind: 'foreign' })],
        findings: [missingBackingFile({ workload: hostile, message: hostile })],
        gate: { open: false, reasons: [{ reason: 'SourceNotSynced', message: hostile }] },
        sources: [{ name: hostile, state: 'failed', workloads: 0, gaps: 0, message: hostile }],
        message: hostile,
      }),
      80,
    );
    expect(text.match(/[^\n\P{Cc}]|\p{Cf}/u)).toBeNull();
    expect(text.split('\n').some((line) => line.startsWith('b'))).toBe(false);
  });

  it('should align wide characters by the columns that they take', () => {
    const text = draw(planOf(report({ files: [plannedFile({ name: '仮想マシン'.repeat(9), kind: 'foreign' }), plannedFile()] })), 80);
    expect(text).toMatch(/\n仮想マ.*…/);
    const [wide, plain] = [lineOf(text, '仮想'), lineOf(text, '0d5e')].map((line) => line.indexOf('1.0 GiB'));
    expect((plain ?? 0) - (wide ?? 0)).toBeGreaterThan(5);
  });
});

describe('a list of a hundred thousand files', () => {
  it('should come in pieces, never as one string', () => {
    const some = removableFile();
    const files = {
      length: 100_000,
      at: () => some,
      *[Symbol.iterator]() {
        for (let index = 0; index < 100_000; index++) yield some;
      },
    };
    const pieces = [...planTable({ ...planOf(report()), files }, { colour: false })];
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
    expect(pieces.reduce((lines, piece) => lines + piece.split('\n').length - 1, 0)).toBeGreaterThan(100_000);
  });

  it('should make each row twice: for the widths, and to draw it', () => {
    const plan = planOf(report({ files: [removableFile(), plannedFile(), used(['default/vm-1'])] }));
    let made = 0;
    const counted = (index: number) => {
      made += 1;
      return plan.files.at(index);
    };
    const files = {
      length: plan.files.length,
      at: counted,
      *[Symbol.iterator]() {
        for (let index = 0; index < plan.files.length; index++) yield counted(index) ?? removableFile();
      },
    };
    expect([...planTable({ ...plan, files }, { colour: false })].join('')).toBe(draw(plan));
    expect(made).toBe(6);
  });
});
