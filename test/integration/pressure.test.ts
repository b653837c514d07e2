import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/schema/schema.ts';
import type { Report } from '../../src/model/report.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { createPass } from '../../src/wire/pass.ts';

const MIB = 2 ** 20;
let root: string;

/** A real file system of 100 MiB. Mounting needs root, as CI and the test set-up have it. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'basekeeper-pressure-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'basekeeper-test', root]);
  mkdirSync(join(root, '_base'));
  mkdirSync(join(root, 'locks'));
});
afterEach(() => {
  execFileSync('umount', [root]);
  rmSync(root, { recursive: true, force: true });
});

function put(image: string, mebibytes: number, ageSeconds: number): string {
  const name = cacheFileName(image);
  const path = join(root, '_base', name);
  writeFileSync(path, Buffer.alloc(mebibytes * MIB, 1));
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(path, at, at);
  return name;
}

async function pass(
  pressure: SettingsInput['pressure'] = { enabled: true, highThresholdPercent: 85, lowThresholdPercent: 70 },
): Promise<Report> {
  writeFileSync(join(root, 'workloads.yaml'), 'workloads: [{name: vm, imageRef: used}]\n');
  const off = { enabled: false };
  const sources = { pods: off, virtualMachineInstances: off, file: { path: join(root, 'workloads.yaml') } };
  const { config, errors } = loadConfig({ overrides: [{ origin: 'test', values: { instancesPath: root, sources, pressure } }] });
  if (config === undefined) throw new Error(JSON.stringify(errors));
  const wired = await createPass(config);
  try {
    return await wired.runPass({ dryRun: false });
  } finally {
    await wired.close();
  }
}

describe('pressure mode on a small file system', () => {
  it('should free what is needed, oldest first, and keep the rest and everything in use', async () => {
    const used = put('used', 20, 7200);
    const oldest = put('oldest', 15, 6000);
    const middle = put('middle', 15, 5000);
    const newest = put('newest', 40, 4000);
    const report = await pass();
    expect(report.result).toBe('Succeeded');
    expect(readdirSync(join(root, '_base')).toSorted()).toEqual([used, newest].toSorted());
    expect(report.pressure).toMatchObject({ usedPercent: 90, plannedBytes: 30 * MIB, projectedUsedPercent: 60 });
    expect([...report.files].filter(({ outcome }) => outcome === 'removed').map(({ name }) => name)).toEqual(
      expect.arrayContaining([oldest, middle]),
    );
  });

  it('should plan no more than is needed', async () => {
    put('used', 50, 7200);
    const first = put('first', 20, 6000);
    const second = put('second', 17, 5000);
    const report = await pass({ enabled: true, highThresholdPercent: 80, lowThresholdPercent: 68 });
    expect([...report.files].filter(({ outcome }) => outcome === 'removed').map(({ name }) => name)).toEqual([first]);
    expect(readdirSync(join(root, '_base'))).toContain(second);
  });

  it('should count the blocks of sparse files, not their size', async () => {
    put('used', 60, 7200);
    const sparse = put('sparse', 1, 6000);
    truncateSync(join(root, '_base', sparse), 50 * MIB);
    const at = Date.now() / 1000 - 6000;
    utimesSync(join(root, '_base', sparse), at, at);
    const dense = put('dense', 30, 5000);
    const report = await pass();
    expect(readdirSync(join(root, '_base'))).not.toContain(dense);
    expect(report.pressure).toMatchObject({ plannedBytes: 31 * MIB });
  });

  it('should say what holds the space when nothing may go', async () => {
    const used = put('used', 60, 7200);
    const fresh = put('fresh', 30, 60);
    const report = await pass();
    expect(readdirSync(join(root, '_base')).toSorted()).toEqual([used, fresh].toSorted());
    expect(report.findings).toEqual([{ type: 'FilesystemPressure', message: expect.stringMatching(/used \S+ MiB, young \S+ MiB/) }]);
  });
});
