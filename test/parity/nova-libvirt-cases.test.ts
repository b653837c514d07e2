/**
 * Nova's own unit tests of its libvirt image cache (nova/tests/unit/virt/libvirt/test_imagecache.py), said again in our
 * words: each case is a tree on disk that the real Nova and Basekeeper both work on. docs/nova-parity.md has the table.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { runPass } from '../../src/pass/pass.ts';
import { cacheFileName } from '../../src/model/names.ts';
import { passParts } from '../../src/wire/pass.ts';
import { inMountNamespace } from '../helpers/mount-namespace.ts';
import { buildTree, DAY } from '../helpers/tree.ts';
import { directoryWithDisk, file, instance, irregular, treeOf, TWO_DAYS, TWO_HOURS, YOUNG } from './build-tree.ts';
import { sha1Of } from './names.ts';
import { Pair } from './pair.ts';

let pair: Pair;
beforeAll(() => {
  pair = new Pair();
});
afterAll(async () => await pair[Symbol.asyncDispose]());

const A = sha1Of('image-a');
const B = sha1Of('image-b');
const BIG = '10737418240';
const SMALL = '5368709120';

describe('GetCacheFnameTestCase', () => {
  it('test_get_cache_fname: should name a base file by the SHA-1 of the image id', () => {
    expect(cacheFileName('fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0')).toBe('0d5e6b61602d758984b3bf038267614d6016eb2a');
  });
});

describe('ImageCacheManagerTestCase: ages', () => {
  it('test_get_age_of_file: should count the age from the mtime, a limit that is just reached included', async () => {
    const limit = 86_400_000;
    const { ours } = await pair.agree(treeOf({ base: [file(A, limit), file(B, limit - 1)] }));
    expect(ours.base).toEqual({ [A]: 'gone', [B]: 'left' });
  });
});

describe('ImageCacheManagerTestCase: what is in _base', () => {
  it('test_list_base_images: should tell originals, resized, legacy, swap and ephemeral files from the rest', async () => {
    const images = [`${A}_sm`, `${B}_sm`, A, B, `${B}_${SMALL}`, `${B}_${BIG}`];
    const others = ['00000001', '00000004'];
    const sized = ['ephemeral_20_abcdefg', 'swap_1000'];
    const { ours } = await pair.agree(treeOf({ base: [...images, ...others, ...sized].map((name) => file(name, TWO_HOURS)) }));
    expect(ours.unknown).toEqual(images.toSorted());
    // Two hours are enough for what is derived, not for originals, swap and ephemeral files; the rest is not ours.
    const gone = Object.keys(ours.base).filter((name) => ours.base[name] === 'gone');
    expect(gone.toSorted()).toEqual([`${A}_sm`, `${B}_sm`, `${B}_${SMALL}`, `${B}_${BIG}`].toSorted());
  });

  it('test_store_swap_image: should take only swap_<digits> for a swap file', async () => {
    const names = ['swap_', 'swap_123', 'swap_456', 'swap_abc', '123_swap', 'swap_129_'];
    const { ours } = await pair.agree(treeOf({ base: names.map((name) => file(name, TWO_DAYS)) }));
    expect(Object.keys(ours.base).filter((name) => ours.base[name] === 'gone')).toEqual(['swap_123', 'swap_456']);
  });

  it('test_store_ephemeral_image: should take only ephemeral_<digits>_<7 characters> for an ephemeral file', async () => {
    const names = [
      'ephemeral_',
      'ephemeral_123',
      'ephemeral_456_40d1d2c',
      'ephemeral_abc_40d1f2e',
      '123_ephemeral_40e1d2d',
      'ephemeral_129_',
    ];
    const { ours } = await pair.agree(treeOf({ base: names.map((name) => file(name, TWO_DAYS)) }));
    expect(Object.keys(ours.base).filter((name) => ours.base[name] === 'gone')).toEqual(['ephemeral_456_40d1d2c']);
  });
});

describe('ImageCacheManagerTestCase: what overlays stand on', () => {
  it.each([
    ['test_list_backing_images_small', 'a legacy file', `${A}_sm`, 'instance-00000002'],
    ['test_list_backing_images_resized', 'a resized file', `${A}_${BIG}`, 'instance-00000002'],
    ['test_list_backing_images_instancename', 'a file under an instance with a name of its own', `${A}_sm`, 'banana-42-hamster'],
  ])('%s: should keep %s that no image explains while an overlay uses it', async (_case, _what, name, instanceName) => {
    const { ours } = await pair.agree(
      treeOf({
        base: [file(name, TWO_DAYS)],
        directories: [directoryWithDisk(instanceName, `{root}/_base/${name}`)],
        instances: [instance(instanceName)],
      }),
    );
    expect(ours.base).toEqual({ [name]: 'left' });
    expect(ours.active).toEqual([name]);
    expect(ours.unexplainedBacking).toEqual([name]);
    expect(ours.unknown).toEqual([]);
  });

  it('test_list_backing_images_disk_notexist: should remove nothing while a disk exists that cannot be read', async () => {
    const unreadable = { name: 'banana-42-hamster', link: false, entries: [file('disk', YOUNG, { kind: 'truncated-qcow2' })] };
    const { ours, nova, excused } = await pair.agree(
      treeOf({ base: [file(A, TWO_DAYS)], directories: [unreadable], instances: [instance('banana-42-hamster')] }),
    );
    expect(nova.aborted).toContain('InvalidDiskInfo');
    expect(excused).toEqual(['UnreadableOverlay']);
    expect(ours.base).toEqual({ [A]: 'left' });
  });
});

describe('ImageCacheManagerTestCase: what an image explains', () => {
  const explained = [instance('instance-00000001', { imageRef: 'image-a' })];

  it('test_find_base_file_nothing: should find nothing for an image that is not cached', async () => {
    const { ours } = await pair.agree(treeOf({ instances: explained }));
    expect(ours.active).toEqual([]);
  });

  it('test_find_base_file_small: should explain the legacy file by its image', async () => {
    const { ours } = await pair.agree(treeOf({ base: [file(`${A}_sm`, TWO_DAYS)], instances: explained }));
    expect(ours.base).toEqual({ [`${A}_sm`]: 'touched' });
  });

  it('test_find_base_file_resized: should explain a resized file by its image, and nothing that only looks like one', async () => {
    const base = ['00000001', 'ephemeral_0_20_None', `${A}_${BIG}`, '00000004'].map((name) => file(name, TWO_DAYS));
    const { ours } = await pair.agree(treeOf({ base, instances: explained }));
    expect(ours.active).toEqual([`${A}_${BIG}`]);
    expect(ours.base).toEqual({ '00000001': 'left', '00000004': 'left', ephemeral_0_20_None: 'left', [`${A}_${BIG}`]: 'touched' });
  });

  it('test_find_base_file_all: should explain the original, the legacy and every resized file of an image at once', async () => {
    const names = [A, `${A}_sm`, `${A}_${BIG}`, `${A}_${SMALL}`];
    const { ours } = await pair.agree(treeOf({ base: names.map((name) => file(name, TWO_DAYS)), instances: explained }));
    expect(ours.base).toEqual(Object.fromEntries(names.map((name) => [name, 'touched'])));
  });

  it('test_mark_in_use: should touch a file in use and count it neither as unknown nor as removable', async () => {
    const { ours } = await pair.agree(treeOf({ base: [file(A, TWO_DAYS)], instances: explained }));
    expect(ours).toMatchObject({ base: { [A]: 'touched' }, active: [A], unknown: [] });
  });
});

describe('ImageCacheManagerTestCase: removal', () => {
  it('test_remove_base_file: should leave a young resized file and its lock file, and remove both when it is old', async () => {
    const name = `${A}_${BIG}`;
    const locks = [`nova-${name}`];
    const young = await pair.agree(treeOf({ base: [file(name, YOUNG)], locksExist: true, locks }));
    expect(young.ours).toMatchObject({ base: { [name]: 'left' }, locks: { [`nova-${name}`]: 'left' } });
    const old = await pair.agree(treeOf({ base: [file(name, 3_601_000)], locksExist: true, locks }));
    expect(old.ours).toMatchObject({ base: { [name]: 'gone' }, locks: { [`nova-${name}`]: 'gone' } });
  });

  it('test_remove_base_file_original: should keep an original longer than a resized file, but not for ever', async () => {
    const younger = await pair.agree(treeOf({ base: [file(A, 3_601_000)] }));
    expect(younger.ours.base).toEqual({ [A]: 'left' });
    const older = await pair.agree(treeOf({ base: [file(A, 25 * 3_600_000)] }));
    expect(older.ours.base).toEqual({ [A]: 'gone' });
  });

  it('test_remove_base_file_oserror: should leave what is not a file where a base file could be, and go on', async () => {
    const { ours, nova, excused } = await pair.agree(
      treeOf({ base: [irregular('swap_64', 'directory', TWO_DAYS), file('swap_65', TWO_DAYS)] }),
    );
    expect(nova.removalFailures).toEqual(['swap_64']);
    expect(excused).toEqual(['IrregularEntry']);
    expect(ours.base).toEqual({ swap_64: 'left', swap_65: 'gone' });
  });

  it('test_remove_base_file_dne: should take it for nothing special when a file vanishes before its removal', async () => {
    using tree = buildTree({ [`_base/${A}`]: { ageSeconds: 2 * DAY }, [`_base/${B}`]: { ageSeconds: 2 * DAY } });
    const { config } = loadConfig({ text: `preset: nova\nnodeName: node-a\ninstancesPath: ${tree.instancesPath}\n` });
    if (config === undefined) throw new Error('the configuration is refused');
    const onStage = (stage: string): void => {
      if (stage === 'execute') tree.remove(`_base/${A}`);
    };
    const report = await runPass(passParts(config, []), { dryRun: false, onStage });
    expect(report.result).toBe('Succeeded');
    expect(Object.fromEntries([...report.files].map(({ name, outcome }) => [name, outcome]))).toEqual({
      [A]: 'AlreadyGone',
      [B]: 'removed',
    });
  });

  it('test_age_and_verify_swap_images: should touch a swap file in use and remove an old one that is not', async () => {
    const { ours } = await pair.agree(
      treeOf({
        base: [file('swap_128', TWO_DAYS), file('swap_256', TWO_DAYS)],
        instances: [instance('instance-00000001', { swapMb: [128] })],
      }),
    );
    expect(ours.base).toEqual({ swap_128: 'touched', swap_256: 'gone' });
  });

  it('test_age_and_verify_ephemeral_images: should touch an ephemeral file in use and remove an old one that is not', async () => {
    const used = instance('instance-00000001', { ephemeral: [{ sizeGb: 20, filesystem: 'ext4' }] });
    const base = [file('ephemeral_20_40d1d2c', TWO_DAYS), file('ephemeral_456_40d1d2c', TWO_DAYS)];
    const { ours } = await pair.agree(treeOf({ base, instances: [used] }));
    expect(ours.base).toEqual({ ephemeral_20_40d1d2c: 'touched', ephemeral_456_40d1d2c: 'gone' });
  });

  it('test_lock_acquired_on_removing_old_enough_files: should take the lock nova-<name> in the lock directory', async () => {
    // Nova keeps the lock files of swap files, so that it can be seen afterwards which lock was taken.
    const { ours } = await pair.agree(treeOf({ base: [file('swap_60', TWO_DAYS)] }));
    expect(ours.locks).toEqual({ 'nova-swap_60': 'new' });
  });
});

describe('ImageCacheManagerTestCase: whole passes', () => {
  it('test_verify_base_images: should keep what images and overlays explain and call the rest removable', async () => {
    const one = sha1Of('1');
    const [kernel, ramdisk, fortyTwo] = [sha1Of('21'), sha1Of('22'), sha1Of('42')];
    const removable = [`${A}_sm`, `${B}_sm`, fortyTwo];
    const active = [one, kernel, ramdisk, `${one}_${SMALL}`, `${one}_${BIG}`];
    const backing = `{root}/_base/${one}_${SMALL}`;
    const { ours, nova } = await pair.agree(
      treeOf({
        base: ['00000001', 'ephemeral_0_20_None', '00000004', ...removable, ...active].map((name) => file(name, TWO_DAYS)),
        directories: [
          directoryWithDisk('instance-1', backing),
          directoryWithDisk('instance-2', backing),
          directoryWithDisk('instance-3', backing),
        ],
        instances: [instance('instance-1', { imageRef: '1' }), instance('instance-2', { imageRef: '1', kernelId: '21', ramdiskId: '22' })],
      }),
    );
    expect(ours.active).toEqual(active.toSorted());
    expect(ours.unknown).toEqual(removable.toSorted());
    expect(nova.removable.toSorted()).toEqual(removable.toSorted());
  });

  it('test_verify_base_images_no_base: should do nothing where there is no cache directory', async () => {
    const { ours } = await pair.agree(
      treeOf({ baseExists: false, instances: [instance('instance-00000001', { imageRef: 'image-a', swapMb: [128] })] }),
    );
    expect(ours).toMatchObject({ base: {}, locks: {}, missing: [], diskUsageBytes: 0 });
  });
});

describe('ImageCacheManagerTestCase: disk usage', () => {
  it('test_get_disk_usage: should add up the allocated bytes of regular files only', async () => {
    const base = [
      file('foo', YOUNG, { kind: 'data', bytes: 10_000 }),
      file('bar', YOUNG, { kind: 'sparse', bytes: 1_000_000 }),
      irregular('some-dir', 'directory', YOUNG),
    ];
    const { ours } = await pair.agree(treeOf({ base }));
    expect(ours.diskUsageBytes).toBe(12_288);
  });

  it('test_get_disk_usage_empty: should be zero for an empty cache directory', async () => {
    const { ours } = await pair.agree(treeOf({}));
    expect(ours.diskUsageBytes).toBe(0);
  });

  it('test_get_disk_usage_cache_dir_missing: should be zero where there is no cache directory', async () => {
    const { ours } = await pair.agree(treeOf({ baseExists: false }));
    expect(ours.diskUsageBytes).toBe(0);
  });

  it('test_get_disk_usage_cache_is_on_different_disk: should be zero where the cache directory is a file system of its own', async () => {
    using tree = buildTree();
    const config = tree.path('config.yaml');
    tree.add({ 'config.yaml': { content: NO_CLUSTER }, 'workloads.yaml': { content: 'workloads: []' } });
    const question = { ...QUESTION, instancesPath: tree.instancesPath };
    const answers = await inMountNamespace(
      `ask() { echo "$2" | /usr/bin/python3 "$3"; node src/bin/basekeeper.ts plan --config "$4" --instances-path "$1" --workloads "$1/workloads.yaml" --output json; }
      head -c 5000 /dev/zero > "$1/_base/${A}"; ask "$@"
      mount -t tmpfs tmpfs "$1/_base"; head -c 5000 /dev/zero > "$1/_base/${A}"; ask "$@"`,
      [tree.instancesPath, JSON.stringify(question), new URL('oracle.py', import.meta.url).pathname, config],
    );
    const usages = [...answers.matchAll(/"(?:diskUsage|cacheUsageBytes)": ?(\d+)/g)].map(([, bytes]) => bytes);
    expect(usages).toEqual(['8192', '8192', '0', '0']);
  });
});

const NO_CLUSTER =
  'preset: nova\nsources: {pods: {enabled: false}, virtualMachineInstances: {enabled: false}}\nannotations: false\nevents: false\n';
const QUESTION = {
  operation: 'run',
  nowMs: 0,
  subdirectory: '_base',
  listBaseFilesFirst: false,
  removeUnused: false,
  originalMinimumAge: 0,
  resizedMinimumAge: 0,
  instances: [],
};
