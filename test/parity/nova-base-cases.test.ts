/**
 * Nova's own unit tests of the image cache's base class (nova/tests/unit/virt/test_imagecache.py), said again in our words.
 * docs/nova-parity.md has the table.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { collectReferences } from '../../src/references/collect.ts';
import { directoryWithDisk, file, instance, treeOf, TWO_DAYS } from './build-tree.ts';
import { sha1Of } from './names.ts';
import { Pair } from './pair.ts';

let pair: Pair;
beforeAll(() => {
  pair = new Pair();
});
afterAll(async () => await pair[Symbol.asyncDispose]());

describe('ImageCacheManagerTests', () => {
  it('test_configuration_defaults: should have the defaults of Nova where Nova has an option', () => {
    const { config } = loadConfig({ text: 'preset: nova\nnodeName: node-a\n' });
    expect(config).toMatchObject({
      subdirectoryName: '_base',
      schedule: { kind: 'interval', intervalSeconds: 2400 },
      policy: { removeUnusedBaseImages: true, originalMinimumAgeSeconds: 24 * 3600, resizedMinimumAgeSeconds: 3600 },
    });
  });

  it('test_list_running_instances: should protect images, kernels, ramdisks, swap and ephemeral files of all instances', async () => {
    const used = [sha1Of('1'), sha1Of('2'), sha1Of('21'), sha1Of('22'), 'swap_256', 'swap_128', 'ephemeral_4_0706d66'];
    const unused = [sha1Of('3'), 'swap_64', 'ephemeral_8_0706d66'];
    const { ours } = await pair.agree(
      treeOf({
        base: [...used, ...unused].map((name) => file(name, TWO_DAYS)),
        instances: [
          // Nova formats an ephemeral disk as vfat (0706d66) when nobody says otherwise.
          instance('instance-00000001', { imageRef: '1', swapMb: [256], ephemeral: [{ sizeGb: 4, filesystem: null }] }),
          instance('instance-00000002', { imageRef: '2', swapMb: [128] }),
          instance('instance-00000003', { imageRef: '2', kernelId: '21', ramdiskId: '22', swapMb: [128] }),
        ],
      }),
    );
    expect(ours.base).toEqual(Object.fromEntries([...used.map((name) => [name, 'touched']), ...unused.map((name) => [name, 'gone'])]));
  });

  it('test_list_running_instances: should take an instance name and its uuid for directory names', async () => {
    const [byName, byUuid] = [sha1Of('by-name'), sha1Of('by-uuid')];
    const { ours } = await pair.agree(
      treeOf({
        base: [file(byName, TWO_DAYS), file(byUuid, TWO_DAYS)],
        directories: [directoryWithDisk('instance-00000001', byName), directoryWithDisk('uuid-of-instance-00000001', byUuid)],
        instances: [instance('instance-00000001')],
      }),
    );
    expect(ours.base).toEqual({ [byName]: 'left', [byUuid]: 'left' });
  });

  it('test_list_resizing_instances: should look into the _resize directories of an instance that was resized', async () => {
    const [byName, byUuid] = [sha1Of('by-name'), sha1Of('by-uuid')];
    const tree = treeOf({
      base: [file(byName, TWO_DAYS), file(byUuid, TWO_DAYS)],
      directories: [directoryWithDisk('instance-00000001_resize', byName), directoryWithDisk('uuid-of-instance-00000001_resize', byUuid)],
    });
    const resized = await pair.agree({ ...tree, instances: [instance('instance-00000001', { vmState: 'resized' })] });
    expect(resized.ours.base).toEqual({ [byName]: 'left', [byUuid]: 'left' });
    const active = await pair.agree({ ...tree, instances: [instance('instance-00000001')] });
    expect(active.ours.base).toEqual({ [byName]: 'gone', [byUuid]: 'gone' });
    expect([...collectReferences([{ ...OURS, resizing: true }], '_base').instanceNames].toSorted()).toEqual([
      'n',
      'n_resize',
      'u',
      'u_resize',
    ]);
  });
});

const OURS = { source: 'test', name: 'n', instanceNames: ['n', 'u'], images: [], swapMb: [], ephemeral: [], paths: [] };
