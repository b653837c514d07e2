import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../scripts/lib/until.ts';
import { SMALL_MEBIBYTES } from './cluster/shared-directory.ts';
import { createSession, helmOptions } from './lib/session.ts';
import { InstancesTree, sha1 } from './lib/tree.ts';
import { vmPod } from './lib/workloads.ts';

const access = inject('cluster');
const { node } = access;
const session = createSession(access, 'basekeeper-pressure');
const { kubectl, helm, apply, plugin } = session;
const image = {
  used: 'image-in-use',
  oldest: 'image-unused-for-longest',
  newer: 'image-unused-for-less',
  fresh: 'image-just-fetched',
} as const;

/** All of them are younger than the day that an unused file is kept for, and older than the ten minutes that no pressure undercuts. */
const HOURS_AGO = { ageDays: 5 / 24 } as const;
const tree = new InstancesTree(access.smallDirectory);
const options = [
  ...helmOptions(tree.path),
  '--set',
  'config.jitterSeconds=0,config.pressure.enabled=true,config.pressure.highThresholdPercent=85,config.pressure.lowThresholdPercent=70',
];

beforeAll(async () => {
  session.installPlugin();
  await tree.addBase({ name: sha1(image.used), mebibytes: 40, ...HOURS_AGO });
  await tree.addBase({ name: sha1(image.oldest), mebibytes: 25, ageDays: 6 / 24 });
  await tree.addBase({ name: sha1(image.newer), mebibytes: 25, ...HOURS_AGO });
  await kubectl('create', 'namespace', session.namespace);
  await kubectl('label', 'namespace', session.namespace, 'pod-security.kubernetes.io/enforce=privileged');
  await apply(vmPod({ namespace: session.namespace, name: 'vm-1', node, imageRef: image.used, instancesPath: tree.path }));
});

afterAll(async () => {
  await helm(3, 'uninstall', 'basekeeper', '--ignore-not-found', '--wait');
  await kubectl('annotate', 'node', node, 'basekeeper.io/mode-', 'basekeeper.io/pin-', 'basekeeper.io/run-now-');
  await kubectl('delete', 'namespace', session.namespace, '--ignore-not-found', '--timeout=60s');
});

describe(`a file system of ${SMALL_MEBIBYTES} MiB that is too full, seen and steered by kubectl basekeeper`, () => {
  it('should be told with what would go: the oldest unused file, though it is younger than its minimum age', async () => {
    await helm(3, 'install', 'basekeeper', ...options, '--wait', '--timeout', '2m');
    await session.readyAgent();
    expect(await plugin('run', node)).toMatch(/DryRun/);
    const row = (await plugin('status')).split('\n').find((line) => line.startsWith(`${node} `));
    expect(row).toMatch(/ dry-run +DryRun .* 3 +90\.0 MiB +25\.0 MiB/);
    const explained = await plugin('explain', node, image.oldest);
    expect(explained).toContain('UnderPressure');
    expect(explained).not.toContain('from the annotations alone');
    expect(await plugin('explain', node, sha1(image.newer))).toContain('YoungerThanMinimumAge');
    expect(tree.baseNames()).toHaveLength(3);
  });

  it('should be relieved of that file and of no other when told to enforce', async () => {
    await plugin('mode', node, 'enforce');
    expect(await plugin('run', node)).toMatch(/Succeeded/);
    expect(tree.baseNames()).toEqual([sha1(image.used), sha1(image.newer)].toSorted());
  });

  it('should be told in an event, with what holds the space, when nothing more may go', async () => {
    await kubectl('annotate', 'node', node, `basekeeper.io/pin=${image.newer}`);
    await tree.addBase({ name: sha1(image.fresh), mebibytes: 25, ageDays: 0 });
    await plugin('run', node);
    expect(tree.baseNames()).toEqual([sha1(image.used), sha1(image.newer), sha1(image.fresh)].toSorted());
    const described = await until('the event of the pressure', 30_000, async () => {
      const text = await kubectl('describe', 'node', node);
      return text.includes('FilesystemPressure') ? text : undefined;
    });
    expect(described).toMatch(
      /FilesystemPressure .*the file system is 9\d(?:\.\d)? % full .*base files hold: used 40\.0 MiB, (?:young|pinned) /,
    );
  });

  it('should be explained for anyone who asks why a file stays', async () => {
    expect(await plugin('explain', node, image.used)).toMatch(/vm-1/);
    expect(JSON.parse(await plugin('explain', node, sha1(image.newer), '-o', 'json'))).toMatchObject({
      kind: 'Explanation',
      node,
      files: [{ reason: 'PinnedByConfig', usedBy: [{ by: 'annotation basekeeper.io/pin' }] }],
    });
    expect(await plugin('status', node)).toContain('FilesystemPressure');
  });

  it('should be left to the configuration again', async () => {
    await plugin('mode', node, 'configured');
    expect(await session.annotationsOf(node)).not.toHaveProperty(['basekeeper.io/mode']);
  });
});
