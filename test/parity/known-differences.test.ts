/** Each intended difference from Nova: what Nova does, what Basekeeper does instead, and that nothing else differs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryWithDisk, file, instance, irregular, treeOf, TWO_DAYS, YOUNG } from './build-tree.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { sha1Of } from './names.ts';
import { Pair } from './pair.ts';
import type { Tree } from './tree-spec.ts';

let pair: Pair;
beforeAll(() => {
  pair = new Pair();
});
afterAll(async () => await pair[Symbol.asyncDispose]());

const A = sha1Of('image-a');
const B = sha1Of('image-b');
const usingA = [instance('instance-00000001', { imageRef: 'image-a' })];

/** What Nova and Basekeeper did with a tree that shows just this difference. */
async function both(name: string, tree: Tree) {
  const comparison = await pair.agree(tree);
  expect(comparison.excused).toEqual([name]);
  shown.add(name);
  return comparison;
}
const shown = new Set<string>();

describe('intended differences from Nova', () => {
  it('IrregularEntry: should neither remove nor touch what is not a regular file', async () => {
    const base = [irregular(B, 'symlink', TWO_DAYS, 'target'), file('target', TWO_DAYS), irregular('swap_64', 'fifo', TWO_DAYS)];
    const { ours, nova, novaBase } = await both(
      'IrregularEntry',
      treeOf({ base: [...base, irregular(A, 'directory', TWO_DAYS)], instances: usingA }),
    );
    expect(novaBase).toEqual({ [A]: 'touched', [B]: 'gone', swap_64: 'gone', target: 'left' });
    expect(nova.unknown).toEqual([B]);
    expect(ours.base).toEqual({ [A]: 'left', [B]: 'left', swap_64: 'left', target: 'left' });
  });

  it('NameThatIsNoText: should leave a file whose name is not UTF-8, which nobody could name', async () => {
    const name = `${'a'.repeat(39)}\u00ff`;
    const { ours, novaBase } = await both('NameThatIsNoText', treeOf({ base: [{ ...file('x', TWO_DAYS), name }] }));
    expect([novaBase, ours.base]).toEqual([{ [name]: 'gone' }, { [name]: 'left' }]);
  });

  it('UnreadableOverlay: should finish the pass without removals where Nova aborts it', async () => {
    const broken = { name: 'instance-00000001', link: false, entries: [file('disk', YOUNG, { kind: 'truncated-qcow2' })] };
    const base = [file(A, TWO_DAYS), file(B, TWO_DAYS), file('swap_128', TWO_DAYS)];
    const instances = [instance('instance-00000001', { imageRef: 'image-a', swapMb: [128] })];
    const { ours, nova, novaBase } = await both('UnreadableOverlay', treeOf({ base, instances, directories: [broken] }));
    expect(nova.aborted).toContain('InvalidDiskInfo');
    expect(novaBase).toEqual({ [A]: 'touched', [B]: 'left', swap_128: 'left' });
    expect(ours.base).toEqual({ [A]: 'touched', [B]: 'left', swap_128: 'touched' });
  });

  it('FileFromTheFuture: should remove nothing while a file in use is dated in the future', async () => {
    const { ours, novaBase } = await both(
      'FileFromTheFuture',
      treeOf({ base: [file(A, -TWO_DAYS), file(B, TWO_DAYS)], instances: usingA }),
    );
    expect(novaBase).toEqual({ [A]: 'touched', [B]: 'gone' });
    expect(ours.base).toEqual({ [A]: 'touched', [B]: 'left' });
  });

  it('EmptyReference: should not take the empty string for an image', async () => {
    const empty = sha1Of('');
    const tree = treeOf({ base: [file(empty, TWO_DAYS)], instances: [instance('instance-00000001', { imageRef: '' })] });
    const { ours, novaBase } = await both('EmptyReference', tree);
    expect([novaBase, ours.base]).toEqual([{ [empty]: 'touched' }, { [empty]: 'gone' }]);
  });

  it('EverySwapAndEphemeralDisk: should protect the files of all swap and ephemeral disks, not just the first', async () => {
    const disks = {
      swapMb: [128, 256],
      ephemeral: [
        { sizeGb: 20, filesystem: 'ext4' },
        { sizeGb: 4, filesystem: 'ext4' },
      ],
    };
    const base = ['swap_128', 'swap_256', 'ephemeral_20_40d1d2c', 'ephemeral_4_40d1d2c'].map((name) => file(name, TWO_DAYS));
    const { ours, novaBase } = await both('EverySwapAndEphemeralDisk', treeOf({ base, instances: [instance('instance-00000001', disks)] }));
    expect(novaBase).toMatchObject({ swap_128: 'touched', swap_256: 'gone', ephemeral_20_40d1d2c: 'touched', ephemeral_4_40d1d2c: 'gone' });
    expect(new Set(Object.values(ours.base))).toEqual(new Set(['touched']));
  });

  it('DownloadInProgress: should leave the files of an image that is being downloaded', async () => {
    const { ours, novaBase } = await both('DownloadInProgress', treeOf({ base: [file(A, TWO_DAYS), file(`${A}.part`, YOUNG)] }));
    expect(novaBase).toEqual({ [A]: 'gone', [`${A}.part`]: 'left' });
    expect(ours.base).toEqual({ [A]: 'left', [`${A}.part`]: 'left' });
  });

  it('SwapOrEphemeralFileUnderAnOverlay: should keep a swap file that an overlay stands on', async () => {
    const tree = treeOf({
      base: [file('swap_128', TWO_DAYS)],
      directories: [directoryWithDisk('instance-00000001', '{root}/_base/swap_128')],
      instances: [instance('instance-00000001')],
    });
    const { ours, novaBase } = await both('SwapOrEphemeralFileUnderAnOverlay', tree);
    expect([novaBase, ours.base]).toEqual([{ swap_128: 'gone' }, { swap_128: 'left' }]);
  });

  it('EveryResizedFile: should protect all resized files of an image in use; Nova skips the neighbour of each that it finds', async () => {
    const base = ['10737418240', '21474836480', '5368709120'].map((size) => file(`${A}_${size}`, TWO_DAYS));
    const { ours, novaBase } = await both('EveryResizedFile', treeOf({ base, instances: usingA }));
    expect(Object.values(novaBase).toSorted()).toEqual(['gone', 'touched', 'touched']);
    expect(new Set(Object.values(ours.base))).toEqual(new Set(['touched']));
  });

  it.each([0, 1])(
    'EveryResizedFile and FileFromTheFuture: should see that a file is in use where Nova may overlook it (%i)',
    async (early) => {
      const resized = ['10737418240', '100'].map((size, index) => file(`${A}_${size}`, index === early ? -TWO_DAYS : TWO_DAYS));
      const { ours, excused } = await pair.agree(treeOf({ base: [...resized, file('swap_64', TWO_DAYS)], instances: usingA }));
      expect(excused).toEqual(['FileFromTheFuture', 'EveryResizedFile']);
      expect(ours.base).toEqual({ [`${A}_10737418240`]: 'touched', [`${A}_100`]: 'touched', swap_64: 'left' });
    },
  );

  it('EmptyReference and FileFromTheFuture: should not take what the empty reference names for in use', async () => {
    const base = [file(sha1Of(''), -TWO_DAYS), file('swap_64', TWO_DAYS)];
    const { ours, excused } = await pair.agree(
      treeOf({ base, instances: [instance('instance-00000001', { imageRef: '', kernelId: 'another' })] }),
    );
    expect(excused).toEqual(['EmptyReference']);
    expect(ours.base).toEqual({ [sha1Of('')]: 'left', swap_64: 'gone' });
  });

  it('none: should not take a file with two suffixes for a resized one of the image', async () => {
    const base = [file(`${A}_1_2`, -TWO_DAYS), file('swap_64', TWO_DAYS)];
    const { ours, excused } = await pair.agree(treeOf({ base, instances: usingA }));
    expect(excused).toEqual([]);
    expect(ours.base).toEqual({ [`${A}_1_2`]: 'left', swap_64: 'gone' });
  });

  it('should have a test for each', () => {
    expect([...shown].toSorted()).toEqual(KNOWN_DIFFERENCES.map(({ name }) => name).toSorted());
  });
});
