import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import { cacheFileName } from '../../src/model/names.ts';
import type { Report } from '../../src/model/report.ts';
import { basekeeper } from '../helpers/basekeeper.ts';
import { qemuChain, qemuImg } from '../helpers/qemu-img.ts';

const MIB = 2 ** 20;
let root: string;

/** A real file system of 150 MiB with ext4, whose blocks and reserve are like those of a node. Mounting needs root, as CI and the test set-up have it. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'basekeeper-budget-'));
  writeFileSync(`${root}.img`, '');
  truncateSync(`${root}.img`, 150 * MIB);
  execFileSync('/sbin/mkfs.ext4', ['-q', '-m', '0', `${root}.img`]);
  execFileSync('mount', ['-o', 'loop', `${root}.img`, root]);
  mkdirSync(join(root, '_base'));
  mkdirSync(join(root, 'locks'));
});
afterEach(() => {
  execFileSync('umount', [root]);
  rmSync(root, { recursive: true, force: true });
  rmSync(`${root}.img`);
});

function put(image: string, mebibytes: number, ageSeconds: number, name = cacheFileName(image)): string {
  const path = join(root, '_base', name);
  writeFileSync(path, Buffer.alloc(mebibytes * MIB, 1));
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(path, at, at);
  return name;
}

/** A real disk of a VM on top of a base file. */
function overlay(vm: string, backing: string): string {
  mkdirSync(join(root, vm));
  const disk = join(root, vm, 'disk');
  qemuImg(['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', join(root, '_base', backing), disk]);
  return disk;
}

/** One enforcing pass of the program as it is shipped. */
async function pass(settings: SettingsInput): Promise<Report> {
  const workloads = join(root, 'workloads.yaml');
  const file = join(root, 'config.yaml');
  const off = { enabled: false };
  writeFileSync(workloads, 'workloads: [{name: vm, imageRef: used}]\n');
  const sources = { pods: off, virtualMachineInstances: off, file: { path: workloads } };
  writeFileSync(file, JSON.stringify({ instancesPath: root, sources, ...settings }));
  const { code, stdout, stderr } = await basekeeper(['pass', '--config', file, '--output', 'json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Report;
}

const left = (): string[] => readdirSync(join(root, '_base')).toSorted();
const du = (): number => Number(execFileSync('du', ['-sx', '--block-size=1', join(root, '_base')], { encoding: 'utf8' }).split('\t')[0]);
const outcomes = (report: Report, outcome: string): string[] =>
  [...report.files].filter((file) => file.outcome === outcome).map(({ name }) => name);

describe('a budget on a small file system', () => {
  it('should keep every disk whole, and remove unused files, least recently used first, down to the low mark', async () => {
    const used = put('used', 20, 9000);
    const backing = put('backing', 20, 9500);
    const oldest = put('oldest', 15, 8000);
    const middle = put('middle', 15, 7000);
    const newest = put('newest', 20, 6000);
    const foreign = put('', 5, 90_000, 'not-ours.qcow2');
    mkdirSync(join(root, '_base', 'directory'));
    put('', 5, 90_000, 'directory/unknown');
    const disk = overlay('vm-1', backing);
    const chain = qemuChain(disk);
    const before = du();
    const report = await pass({ budget: { maxBytes: '80Mi' } });
    expect(report.budget).toMatchObject({ maxBytes: 80 * MIB, lowBytes: 72 * MIB, heldBytes: before, bytesToFree: before - 72 * MIB });
    expect(outcomes(report, 'removed').toSorted()).toEqual([oldest, middle].toSorted());
    expect(left()).toEqual([used, backing, newest, foreign, 'directory'].toSorted());
    expect(du()).toBe(report.budget?.projectedBytes);
    expect(qemuChain(disk)).toEqual(chain);
    expect(chain.map(({ filename }) => filename)).toEqual([disk, join(root, '_base', backing)]);
    expect(qemuImg(['check', disk])).toContain('No errors');
    expect((await pass({ budget: { maxBytes: '80Mi' } })).totals.removedFiles).toBe(0);
  });

  it('should take a share of the file system, and work beside pressure', async () => {
    const backing = put('backing', 60, 9500);
    const disk = overlay('vm-1', backing);
    const oldest = put('oldest', 30, 8000);
    const newest = put('newest', 20, 7000);
    const pressure = { enabled: true, highThresholdPercent: 75, lowThresholdPercent: 68 };
    const report = await pass({ pressure, budget: { maxPercentOfFilesystem: 60, lowPercentOfMax: 80 } });
    expect(report.pressure?.usedPercent).toBeGreaterThan(75);
    expect(report.budget?.maxBytes).toBe(Math.floor((report.filesystem?.sizeBytes ?? 0) * 0.6));
    expect(outcomes(report, 'removed').toSorted()).toEqual([oldest, newest].toSorted());
    expect([...report.files].map(({ reason }) => reason).toSorted()).toEqual(['BackingFileOfOverlay', 'OverBudget', 'UnderPressure']);
    expect(qemuChain(disk)).toHaveLength(2);
  });

  it('should say what holds the space when nothing may go', async () => {
    const backing = put('backing', 50, 9500);
    const disk = overlay('vm-1', backing);
    const fresh = put('fresh', 30, 60);
    const report = await pass({ budget: { maxBytes: 60 * MIB } });
    expect(left()).toEqual([backing, fresh].toSorted());
    expect(qemuChain(disk)).toHaveLength(2);
    const said = report.findings.filter(({ type }) => type === 'BudgetExceeded');
    expect(said).toHaveLength(1);
    expect(said[0]?.message).toMatch(/holds \S+ MiB and its budget is \S+ MiB.*: backing \S+ MiB, young \S+ MiB/);
  });

  it('should not remove one name of a file after the other: that frees nothing', async () => {
    const linked = put('linked', 30, 9000);
    linkSync(join(root, '_base', linked), join(root, '_base', 'second-name'));
    const single = put('single', 30, 8000);
    const report = await pass({ budget: { maxBytes: 50 * MIB } });
    expect(report.budget?.heldBytes).toBe(60 * MIB + (du() - 30 * MIB));
    expect(outcomes(report, 'removed')).toEqual([single]);
  });

  it('should count what two names share as freed once, when the second of them goes', async () => {
    const names = [put('one-name', 30, 90_000), cacheFileName('another-name')];
    linkSync(join(root, '_base', names[0] ?? ''), join(root, '_base', names[1] ?? ''));
    const { budget, totals, files } = await pass({ budget: { maxBytes: 50 * MIB } });
    expect([...files].map(({ outcome, freedNothing }) => [outcome, freedNothing])).toEqual([
      ['removed', true],
      ['removed', undefined],
    ]);
    expect(totals).toMatchObject({ removedFiles: 2, removedBytes: 30 * MIB });
    expect(du()).toBe((budget?.heldBytes ?? 0) - totals.removedBytes);
  });

  it('should empty the trash first, and bypass it while the cache is over its budget', async () => {
    const trash = { enabled: true, graceSeconds: 86_400 };
    const first = put('first', 30, 90_000);
    await pass({ trash });
    expect(left()).toEqual(['.basekeeper-trash']);
    const second = put('second', 30, 90_000);
    const young = put('young', 20, 7000);
    const report = await pass({ trash, budget: { maxBytes: 75 * MIB, lowPercentOfMax: 80 } });
    expect([...(report.trash?.files ?? [])].map(({ name, outcome }) => [name, outcome])).toEqual([[first, 'emptied']]);
    expect(outcomes(report, 'trashed')).toEqual([second]);
    expect(left()).toContain(young);
    expect(outcomes(await pass({ trash, budget: { maxBytes: 10 * MIB } }), 'removed')).toEqual([young]);
  });
});
