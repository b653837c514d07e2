/** Where an image is, what was removed and why, on a node whose cache must keep to a budget: asked by kubectl basekeeper as operators do. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SMALL_MEBIBYTES } from './cluster/shared-directory.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';
import { vmPod } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-where');
const { kubectl, helm, apply, plugin } = session;
const image = {
  used: 'image-in-use',
  wanted: 'image-that-is-wanted',
  oldest: 'image-unused-for-longest',
  newer: 'image-unused-for-less',
} as const;
const LACKING = 'image-that-nobody-has-fetched';
/** All are older than ten minutes and younger than the day that an unused file is kept for, so that the budget alone removes. */
const SIZES = { [image.used]: 24, [image.wanted]: 12, [image.oldest]: 20, [image.newer]: 16 } as const;
const BUDGET = 'config.budget.maxPercentOfFilesystem=60,config.budget.lowPercentOfMax=90';

// Another test may have left its files in it.
for (const entry of readdirSync(access.smallDirectory)) rmSync(join(access.smallDirectory, entry), { recursive: true });
const tree = new InstancesTree(access.smallDirectory);

async function document<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await plugin(...args, '-o', 'json')) as T;
}

beforeAll(async () => {
  session.installPlugin();
  for (const [ref, mebibytes] of Object.entries(SIZES))
    await tree.addBase({ name: sha1(ref), mebibytes, ageDays: (ref === image.oldest ? 6 : 5) / 24 });
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await kubectl('annotate', 'node', node, '--overwrite', `basekeeper.io/wanted=${image.wanted},${LACKING}`);
  await apply(vmPod({ namespace: session.namespace, name: 'vm-1', node, imageRef: image.used, instancesPath: tree.path }));
  const options = [...helmOptions(tree.path), '--set', `config.jitterSeconds=0,${BUDGET}`];
  await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
  await session.readyAgent();
  await plugin('run', node);
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('annotate', 'node', node, 'basekeeper.io/mode-', 'basekeeper.io/wanted-', 'basekeeper.io/run-now-');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
  for (const entry of readdirSync(tree.path)) rmSync(join(tree.path, entry), { recursive: true });
});

const lines = (text: string): string[] => text.trimEnd().split('\n');
const ALL_IMAGES = Object.values(image);

describe('kubectl basekeeper where', () => {
  it('should say from the annotations which node has an image, and how it is used there', async () => {
    const [header, row, closing] = lines(await plugin('where', image.used));
    expect(header).toMatch(/^NODE +STATE +LAST PASS$/);
    expect(row).toMatch(new RegExp(`^${node} +used +\\d+s ago$`));
    expect(closing).toBe(`1 of 1 node has files of ${image.used} (1 used).`);
    expect(await plugin('where', sha1(image.oldest), '-o', 'name')).toBe(`node/${node}\n`);
    expect(await plugin('where', LACKING)).toBe(`0 of 1 node has files of ${LACKING}.\n`);
  });

  it('should have the agent say what the file is, who uses it and when it goes', async () => {
    const used = lines(await plugin('where', image.used, '--wide'));
    expect(used[1]).toMatch(new RegExp(`^${node} +${sha1(image.used)} +24\\.0 MiB +used +5h ago +- +${session.namespace}/vm-1$`));
    expect(used[2]).toBe(`1 of 1 node has files of ${image.used} (1 used), 24.0 MiB.`);
    // The budget asks for it, and the mode is dry-run.
    expect(await plugin('where', image.oldest, '--wide')).toMatch(/ 20\.0 MiB +unused +6h ago +dry run/);
    expect(await plugin('where', image.newer, '--wide')).toMatch(/ 16\.0 MiB +young +5h ago +in 18h|in 19h/);
    const located = await document<object>('where', image.used, '--wide');
    const item = { node, file: sha1(image.used), allocatedBytes: 24 * 2 ** 20, state: 'used', usedBy: [`${session.namespace}/vm-1`] };
    expect(located).toMatchObject({ kind: 'ImageLocationList', nodes: 1, items: [item], unknown: [] });
  });

  it('should say which images are wanted and missing', async () => {
    const [, row, closing] = lines(await plugin('where', '--wanted'));
    expect(row).toMatch(new RegExp(`^${node} +1 +1 +\\d+s ago +${LACKING}$`));
    expect(closing).toBe(`Images are wanted on 1 of 1 node; 1 lacks some: ${node}.`);
    const items = [{ node, present: 1, missing: [LACKING], more: 0 }];
    expect(await document('where', '--wanted')).toMatchObject({ kind: 'WantedImagesList', nodes: 1, items });
  });
});

describe(`a cache on a file system of ${SMALL_MEBIBYTES} MiB, with a budget of 60 % of that`, () => {
  it('should keep everything as long as it only reports, and say what would go', async () => {
    expect(tree.baseNames()).toEqual(ALL_IMAGES.map(sha1).toSorted());
    expect(await plugin('explain', node, image.oldest)).toContain('OverBudget');
    expect(await plugin('explain', node, image.newer)).toContain('YoungerThanMinimumAge');
  });

  it('should come below its low mark by the file that was used longest ago, and no other', async () => {
    await plugin('mode', node, 'enforce');
    expect(await plugin('run', node)).toMatch(/Succeeded/);
    expect(tree.baseNames()).toEqual([image.used, image.wanted, image.newer].map(sha1).toSorted());
    expect(await plugin('where', image.oldest)).toBe(`0 of 1 node has files of ${image.oldest}.\n`);
  });

  it('should say in its history what went, when, why, on what evidence and who asked for it', async () => {
    const [, row, closing] = lines(await plugin('history', node));
    expect(row).toMatch(new RegExp(`^\\S+Z +removed +${sha1(image.oldest)} +20\\.0 MiB +OverBudget +(?:mode|run-now.*)$`));
    expect(closing).toBe('1 record: 1 removed (20.0 MiB).');
    const history = await document<{ items: object[]; evidence: { sources: object[] }[] }>('history', node, '--image', image.oldest);
    const item = { action: 'unlink', name: sha1(image.oldest), allocatedBytes: 20 * 2 ** 20, verdict: 'remove', outcome: 'removed' };
    expect(history).toMatchObject({ kind: 'LedgerHistory', node, items: [item], passes: [{ mode: 'enforce' }], unreadable: 0 });
    expect(history.evidence[0]?.sources).toContainEqual(expect.objectContaining({ name: 'pods', state: 'synced', workloads: 1 }));
    expect(await plugin('history', node, '--image', image.newer)).toBe('No removal is recorded that matches.\n');
  });

  it('should name the removal and its last record at the node, whatever pass came after it', async () => {
    expect(await plugin('status', node)).toMatch(/Removed +1 base file removed, 20\.0 MiB, \d+s ago/);
    const { 'basekeeper.io/last-removal': said } = await session.annotationsOf(node);
    expect(said).toMatch(/^\S+Z: 1 base file removed, 20\.0 MiB \(record \d+:[0-9a-f]{64}\)$/);
  });

  it('should be noticed by history when its ledger is replaced by an empty one', async () => {
    rmSync(join(tree.path, 'locks', 'basekeeper-ledger', node), { recursive: true });
    await expect(plugin('history', node)).rejects.toThrow(/lacks record \d+, which its annotation basekeeper\.io\/last-removal names/);
  });
});
