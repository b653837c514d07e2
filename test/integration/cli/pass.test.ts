import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PlannedFile } from '../../../src/model/plan.ts';
import type { Report } from '../../../src/model/report.ts';
import { basekeeper } from '../../helpers/basekeeper.ts';
import { cacheFileName } from '../../../src/model/names.ts';
import { buildTree, DAY, HOUR, type Tree, type TreeSpec } from '../../helpers/tree.ts';

const USED = cacheFileName('image-used');
const BACKING = cacheFileName('image-of-an-overlay');
const UNUSED = cacheFileName('image-unused');
const YOUNG = cacheFileName('image-young');

const BASE: TreeSpec = {
  [`_base/${USED}`]: { content: 'used', ageSeconds: 9 * DAY },
  [`_base/${BACKING}`]: { qcow2: {}, ageSeconds: 9 * DAY },
  [`_base/${UNUSED}`]: { content: 'unused', ageSeconds: 2 * DAY },
  [`_base/${UNUSED}_10737418240`]: { content: 'unused', ageSeconds: 2 * HOUR },
  [`_base/${YOUNG}`]: { content: 'young', ageSeconds: 23 * HOUR },
  '_base/swap_512': { content: 'swap', ageSeconds: 2 * DAY },
  '_base/notes.txt': { content: 'mine', ageSeconds: 99 * DAY },
  'instance-00000002/disk': { qcow2: { backingFile: `{instances}/_base/${BACKING}`, backingFormat: 'qcow2' } },
};
const WORKLOADS = 'workloads: [{name: instance-00000001, imageRef: image-used}]\n';

function world(spec: TreeSpec = BASE, workloads = WORKLOADS): { tree: Tree; options: readonly string[] } {
  const tree = buildTree(spec);
  onTestFinished(tree.cleanup);
  const file = tree.path('../workloads.yaml');
  writeFileSync(file, workloads);
  return { tree, options: ['--instances-path', tree.instancesPath, '--workloads', file] };
}

function decisionsOf(text: string): readonly Partial<PlannedFile>[] {
  const { files } = JSON.parse(text) as { files: PlannedFile[] };
  return files
    .map(({ name, verdict, reason, identity }) => ({ name, verdict, reason, identity }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

describe('plan, then pass', () => {
  it('should execute exactly the plan, and find nothing to remove the second time', async () => {
    const { tree, options } = world();
    const before = readdirSync(tree.basePath).toSorted();
    const plan = await basekeeper(['plan', '--output', 'json', ...options]);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(tree.basePath).toSorted()).toEqual(before);

    const pass = await basekeeper(['pass', '--output', 'json', ...options]);
    expect(pass).toMatchObject({ code: 0, stderr: '' });
    expect(decisionsOf(pass.stdout)).toEqual(decisionsOf(plan.stdout));
    const report = JSON.parse(pass.stdout) as Omit<Report, 'files'> & { files: PlannedFile[] };
    const removed = report.files.filter(({ outcome }) => outcome === 'removed').map(({ name }) => name);
    expect(removed.toSorted()).toEqual([UNUSED, `${UNUSED}_10737418240`, 'swap_512'].toSorted());
    expect(removed).toEqual(report.files.filter(({ verdict }) => verdict === 'remove').map(({ name }) => name));
    expect(readdirSync(tree.basePath).toSorted()).toEqual(before.filter((name) => !removed.includes(name)));

    const again = await basekeeper(['pass', '--output', 'json', ...options]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout)).toMatchObject({ result: 'Succeeded', totals: { removedFiles: 0, reclaimableFiles: 0 } });
    expect(readdirSync(tree.basePath).toSorted()).toEqual(before.filter((name) => !removed.includes(name)));
  });

  it('should have the shape that the design documents', async () => {
    const { tree, options } = world();
    const { stdout } = await basekeeper(['plan', '--output', 'json', '--node', 'node-1', ...options]);
    const plan = JSON.parse(stdout) as { files: PlannedFile[] };
    expect(plan).toMatchObject({
      apiVersion: 'basekeeper.io/v1',
      kind: 'Plan',
      node: 'node-1',
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      preset: 'safe',
      basePath: tree.basePath,
      gate: { open: true, reasons: [] },
      findings: [{ type: 'BackingFileUnknown', message: expect.any(String) }],
      totals: {
        files: 7,
        allocatedBytes: expect.any(Number),
        reclaimableFiles: 3,
        reclaimableBytes: expect.any(Number),
        removedFiles: 0,
        removedBytes: 0,
      },
      cacheUsageBytes: expect.any(Number),
    });
    expect(plan.files.find(({ name }) => name === USED)).toMatchObject({
      name: USED,
      kind: 'original',
      sizeBytes: 4,
      allocatedBytes: expect.any(Number),
      modifiedAt: expect.any(String),
      ageSeconds: expect.any(Number),
      minimumAgeSeconds: DAY,
      verdict: 'touch',
      reason: 'ReferencedByWorkload',
      usedBy: [{ by: 'instance-00000001', through: 'image', value: 'image-used' }],
    });
  });

  it('should change nothing with --dry-run, nor with the mode off', async () => {
    const { tree, options } = world();
    const before = readdirSync(tree.basePath).toSorted();
    expect(await basekeeper(['pass', '--dry-run', ...options])).toMatchObject({ code: 0, stderr: '' });
    const config = tree.path('../config.yaml');
    writeFileSync(config, 'mode: off\n');
    const off = await basekeeper(['pass', '--config', config, ...options]);
    expect(off).toMatchObject({ code: 0, stderr: 'basekeeper: mode is off: this pass changes nothing\n' });
    expect(off.stdout).toMatch(/^Plan for /);
    expect(readdirSync(tree.basePath).toSorted()).toEqual(before);
  });
});

describe('exit codes', () => {
  it('should be 3 while the gate holds removals back', async () => {
    const { tree, options } = world(BASE, 'workloads: []\n');
    const held = await basekeeper(['pass', ...options]);
    expect(held).toMatchObject({ code: 3, stderr: '' });
    expect(held.stdout).toMatch(/Gate: closed, nothing is removed\n {2}EmptyInventory: /);
    expect(readdirSync(tree.basePath)).toContain(UNUSED);
  });

  it('should be 1 when a removal fails, and the report is printed anyway', async () => {
    const { tree, options } = world({ ...BASE, locks: { content: 'a file where a directory should be' } });
    const failed = await basekeeper(['pass', '--output', 'json', ...options]);
    expect(failed).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(failed.stdout)).toMatchObject({ kind: 'Report', result: 'Failed', totals: { removedFiles: 0 } });
    expect(readdirSync(tree.basePath)).toContain(UNUSED);
  });

  it.each([
    ['workloads that are not there', '/nonexistent/w.yaml', 'cannot use the workloads file /nonexistent/w.yaml: ENOENT'],
    ['workloads that are not a list', '-', 'cannot use the workloads file'],
  ])('should be 2 for %s', async (_what, workloads, message) => {
    const { tree } = world();
    const ran = await basekeeper(['pass', '--instances-path', tree.instancesPath, '--workloads', workloads], { stdin: 'instances: 5' });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  it('should be 2 for a configuration with mistakes, which the agent lists all and then does nothing', async () => {
    const { tree } = world();
    const config = tree.path('../config.yaml');
    writeFileSync(config, 'mode: on\nhttp:\n  prt: 1\nintervalSeconds: 0\n');
    const ran = await basekeeper(['agent', '--config', config]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr.split('\n')).toEqual([
      'basekeeper: the configuration has mistakes:',
      `${config}:1:7: mode must be one of off, dry-run, enforce, not "on"`,
      `${config}:3:3: http.prt is not a known key; did you mean port?`,
      `${config}:4:18: intervalSeconds must be at least 1, not 0`,
      'nodeName is required to ask the cluster for the workloads of this node; set it, or --node, or the environment variable NODE_NAME',
      '',
    ]);
  });

  it('should be 2 where a cluster is needed and there is none', async () => {
    const ran = await basekeeper(['plan', '--node', 'n']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('--workloads FILE');
  });
});

describe('input and output', () => {
  it('should take the workloads from stdin and leave nothing behind', async () => {
    const { tree } = world();
    const temporary = buildTree();
    onTestFinished(temporary.cleanup);
    const before = readdirSync(temporary.instancesPath);
    const ran = await basekeeper(['plan', '--output', 'json', '--instances-path', tree.instancesPath, '--workloads', '-'], {
      stdin: WORKLOADS,
      env: { TMPDIR: temporary.instancesPath },
    });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(decisionsOf(ran.stdout)).toContainEqual(expect.objectContaining({ name: USED, reason: 'ReferencedByWorkload' }));
    expect(readdirSync(temporary.instancesPath)).toEqual(before);
  });

  it('should say on stderr that there is no base directory, because the path may be mistyped', async () => {
    const { tree, options } = world({});
    tree.remove('_base');
    const ran = await basekeeper(['plan', ...options]);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe(`basekeeper: ${tree.basePath} does not exist, so there is nothing to do; check --instances-path\n`);
    expect(ran.stdout).toContain('0 base files');
  });

  it('should explain a file and an image', async () => {
    const { options } = world();
    const file = await basekeeper(['explain', BACKING, ...options]);
    expect(file).toMatchObject({ code: 0, stderr: '' });
    expect(file.stdout).toContain('  Used by   instance-00000002: overlay instance-00000002/disk\n');
    const image = await basekeeper(['explain', 'image-unused', '--output', 'json', ...options]);
    expect(JSON.parse(image.stdout)).toMatchObject({
      digest: UNUSED,
      files: [{ name: expect.stringContaining(UNUSED) }, { name: expect.stringContaining(UNUSED) }],
    });
    expect(await basekeeper(['explain', 'image-nobody-knows', ...options])).toMatchObject({ code: 1, stdout: '' });
  });
});
