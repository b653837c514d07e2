import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { MemoryKube } from '../../../helpers/memory-kube.ts';
import { cluster, kubectl, written } from '../../../helpers/plugin.ts';
import { plannedFile, removableFile, report, trashedFile, trashPlan } from '../../../helpers/reports.ts';

const IMAGE = 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0';
const DIGEST = '4c5d2ba99ebe3b3e8d1d6e4d0a3ab1e0f6ef1cbf';

const used = report({ node: 'node-2', files: [plannedFile({ usedBy: [{ by: 'tenant/vm-1', through: 'image', value: 'x' }] })] });
const unused = report({
  node: 'node-10',
  result: 'DryRun',
  files: [
    removableFile({ outcome: undefined, minimumAgeSeconds: 86_400, ageSeconds: 259_200 }),
    plannedFile({
      name: `${plannedFile().name}_20`,
      kind: 'resized',
      reason: 'YoungerThanMinimumAge',
      ageSeconds: 60,
      minimumAgeSeconds: 3660,
    }),
    plannedFile({ name: DIGEST }),
  ],
});
const SUBJECT = plannedFile().name;

/** node-2 uses the image, node-10 has it unused, node-3 has another, node-4 has an agent that publishes no list, node-5 none. */
function world(): MemoryKube {
  const old = { ...written(used) };
  delete (old as Record<string, string>)['basekeeper.io/images'];
  const kube = cluster({ 'node-2': used, 'node-10': unused, 'node-3': report({ files: [plannedFile({ name: DIGEST })] }), 'node-4': used });
  kube.putNode('node-10', 'u10', written(unused));
  kube.putNode('node-2', 'u2', written(used));
  kube.putNode('node-3', 'u3', written(report({ files: [plannedFile({ name: DIGEST })] })));
  kube.putNode('node-4', 'u4', old);
  kube.putNode('node-5', 'u5', {});
  return kube;
}

describe('kubectl basekeeper where', () => {
  it('should say from one list which nodes have an image, and of which nothing is known', async () => {
    const { code, stdout, stderr } = await kubectl(world(), ['where', SUBJECT]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'NODE     STATE  LAST PASS',
      'node-2   used      0s ago',
      'node-10  young     0s ago',
      `2 of 5 nodes have files of ${SUBJECT} (1 used, 1 young).`,
      'Unknown of 1 node without an agent: node-5.',
      'Unknown of 1 node without a full list: node-4. Ask their agents with --wide.',
      '',
    ]);
  });

  it.each([SUBJECT, `${SUBJECT}_20`, `_base/${SUBJECT}`, `/var/lib/nova/instances/_base/${SUBJECT}_sm`])(
    'should find the image by %s',
    async (asked) => {
      expect((await kubectl(world(), ['where', asked, '-o', 'name'])).stdout).toBe('node/node-2\nnode/node-10\n');
    },
  );

  it('should find an image by its id', async () => {
    const { createHash } = await import('node:crypto');
    const name = createHash('sha1').update(IMAGE).digest('hex');
    const kube = cluster();
    kube.putNode('node-1', 'u1', written(report({ files: [plannedFile({ name })] })));
    expect((await kubectl(kube, ['where', IMAGE, '-o', 'name'])).stdout).toBe('node/node-1\n');
  });

  it('should ask the agents of nodes that have it or may have it: files, users, last use and when they go', async () => {
    const { code, stdout } = await kubectl(world(), ['where', SUBJECT, '--wide', '-o', 'json']);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as { items: object[] };
    expect(document).toMatchObject({ kind: 'ImageLocationList', subject: SUBJECT, nodes: 5, unknown: [{ node: 'node-5' }] });
    expect(document.items).toEqual([
      expect.objectContaining({ node: 'node-2', file: SUBJECT, state: 'used', usedBy: ['tenant/vm-1'] }),
      expect.objectContaining({ node: 'node-4', file: SUBJECT, state: 'used' }),
      expect.objectContaining({ node: 'node-10', file: SUBJECT, state: 'unused', usedBy: [], goesAt: '2026-11-21T14:00:00.000Z' }),
      expect.objectContaining({ node: 'node-10', file: `${SUBJECT}_20`, state: 'young', goesAt: '2026-11-23T15:00:00.000Z' }),
    ]);
    const table = (await kubectl(world(), ['where', SUBJECT, '--wide'])).stdout;
    expect(table).toMatch(/^NODE +FILE +SIZE +STATE +LAST USE +GOES +USED BY\n/);
    expect(table).toMatch(/node-10 .* unused +3d ago +dry run/);
    expect(table).toMatch(/node-10 .*_20 +1\.0 GiB +young +3d ago +in 60m/);
    expect(table).toContain(`3 of 5 nodes have files of ${SUBJECT} (1 unused, 1 young, 2 used), 4.0 GiB.`);
  });

  it('should show files in the trash, and none that the last pass removed', async () => {
    const kube = cluster({
      'node-1': report({ files: [removableFile({ outcome: 'removed' })], trash: trashPlan([trashedFile(SUBJECT)]) }),
    });
    kube.putNode('node-1', 'u1', { ...written(report()) });
    const { items } = JSON.parse((await kubectl(kube, ['where', SUBJECT, '--wide', '-o', 'json'])).stdout) as { items: object[] };
    expect(items).toEqual([expect.objectContaining({ file: SUBJECT, state: 'trash', goesAt: '2026-11-22T14:00:00.000Z' })]);
  });

  it('should ask every agent with --all, for what lies in the trash alone', async () => {
    const kube = cluster({ 'node-1': report({ files: [], trash: trashPlan([trashedFile(SUBJECT)]) }), 'node-2': used });
    kube.putNode('node-1', 'u1', written(report({ files: [plannedFile({ name: DIGEST })] })));
    kube.putNode('node-2', 'u2', written(used));
    kube.putNode('node-3', 'u3', {});
    const nodes = async (option: string) => (await kubectl(kube, ['where', SUBJECT, option, '-o', 'name'])).stdout;
    expect(await nodes('--wide')).toBe('node/node-2\n');
    expect(await nodes('--all')).toBe('node/node-1\nnode/node-2\n');
    expect((await kubectl(kube, ['where', SUBJECT, '--all'])).stdout).toContain('Unknown of 1 node without an agent: node-3.');
    expect(await kubectl(kube, ['where', '--wanted', '--all'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
  });

  it('should look for swap and ephemeral files at the agents only, and say so', async () => {
    const { stdout } = await kubectl(world(), ['where', 'swap_512']);
    expect(stdout).toContain('0 of 5 nodes have files of swap_512.');
    expect(stdout).toContain('Unknown of 4 nodes without a full list');
  });

  it('should say of which nodes the agent did not answer, and show the others', async () => {
    const kube = cluster({ 'node-2': new Error('connection refused'), 'node-10': unused });
    kube.putNode('node-2', 'u2', written(used));
    kube.putNode('node-10', 'u10', written(unused));
    const { code, stdout } = await kubectl(kube, ['where', SUBJECT, '--wide']);
    expect(code).toBe(0);
    expect(stdout).toContain('1 of 2 nodes has files of');
    expect(stdout).toContain('Unknown of node-2: ');
    expect(stdout).toContain('connection refused');
  });

  it('should say why of five nodes, and of how many more, where many agents do not answer', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`);
    const kube = cluster(Object.fromEntries(names.map((name) => [name, new Error('connection refused')])));
    for (const name of names) kube.putNode(name, name, written(used));
    const { stdout } = await kubectl(kube, ['where', SUBJECT, '--wide']);
    expect(stdout.match(/^Unknown of node-\d/gm)).toHaveLength(5);
    expect(stdout).toContain('Unknown of 3 more nodes whose agents did not answer: -o json says why.');
    const { unknown } = JSON.parse((await kubectl(kube, ['where', SUBJECT, '--wide', '-o', 'json'])).stdout) as { unknown: object[] };
    expect(unknown).toHaveLength(8);
  });

  it('should show names and words of strangers safely', async () => {
    const kube = cluster({
      'node-1': report({ files: [plannedFile({ usedBy: [{ by: 'vm\u001b[31m', through: 'image', value: 'x' }] })] }),
    });
    kube.putNode('node-1', 'u1', written(report()));
    for (const format of ['table', 'json', 'yaml']) {
      const { stdout } = await kubectl(kube, ['where', SUBJECT, '--wide', '-o', format]);
      expect(stdout).toContain('vm');
      expect(stdout).not.toContain('\u001b');
    }
  });

  it('should give the same document as YAML', async () => {
    const { stdout } = await kubectl(world(), ['where', SUBJECT, '-o', 'yaml']);
    expect(parse(stdout)).toEqual(JSON.parse((await kubectl(world(), ['where', SUBJECT, '-o', 'json'])).stdout));
  });

  it.each(['0', '65', 'x', '1.5'])('should refuse to ask %s agents at once', async (count) => {
    const { code, stderr } = await kubectl(world(), ['where', SUBJECT, '--parallel', count]);
    expect(code).toBe(2);
    expect(stderr).toContain('It is a number from 1 to 64.');
  });
});

describe('kubectl basekeeper where --wanted', () => {
  const image = (imageRef: string, present: boolean) => ({ imageRef, by: ['configuration'], present });
  const wanting = (): MemoryKube => {
    const kube = cluster();
    kube.putNode('node-1', 'u1', written(report({ wanted: [image('a', true), image('b', false), image('c', false), image('d', false)] })));
    kube.putNode('node-2', 'u2', written(report({ wanted: [image('a', true)] })));
    kube.putNode('node-3', 'u3', written(report()));
    return kube;
  };

  it('should say which nodes have the images that are wanted there, and which are missing', async () => {
    const { code, stdout } = await kubectl(wanting(), ['where', '--wanted']);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'NODE    PRESENT  MISSING  LAST PASS  MISSING IMAGES',
      'node-1        1        3     0s ago  b, c and 1 more',
      'node-2        1        0     0s ago',
      'Images are wanted on 2 of 3 nodes; 1 lacks some: node-1.',
      '',
    ]);
    expect((await kubectl(wanting(), ['where', '--wanted', '-o', 'wide'])).stdout).toContain('b, c, d');
    expect((await kubectl(wanting(), ['where', '--wanted', '-o', 'name'])).stdout).toBe('node/node-1\nnode/node-2\n');
    const document = JSON.parse((await kubectl(wanting(), ['where', '--wanted', '-o', 'json'])).stdout) as object;
    expect(document).toMatchObject({
      kind: 'WantedImagesList',
      nodes: 3,
      items: [{ node: 'node-1', present: 1, missing: ['b', 'c', 'd'] }, { node: 'node-2' }],
    });
  });

  it('should say that no image is wanted', async () => {
    const kube = cluster();
    kube.putNode('node-1', 'u1', written(report()));
    expect((await kubectl(kube, ['where', '--wanted'])).stdout).toBe('No image is wanted on 1 node.\n');
  });

  it('should be in the details of a node', async () => {
    expect((await kubectl(wanting(), ['status', 'node-1'])).stdout).toContain('1 of 4 wanted images is here; missing: b, c, d');
    expect((await kubectl(wanting(), ['status', 'node-3'])).stdout).not.toContain('anted');
  });

  it.each([[[]], [['x', '--wanted']], [['--wanted', '--wide']]])('should refuse a question that is none, or two: %j', async (args) => {
    expect((await kubectl(wanting(), ['where', ...args])).code).toBe(2);
  });
});
