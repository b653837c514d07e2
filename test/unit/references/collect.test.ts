import { describe, expect, it } from 'vitest';
import { collectReferences } from '../../../src/references/collect.ts';
import { cacheFileName, ephemeralFileName } from '../../../src/model/names.ts';
import { DIGEST, IMAGE, workload } from '../../helpers/snapshot.ts';

describe('the names of base files', () => {
  it("should be the SHA-1 of the image id, as in Nova's documentation", () => {
    expect(cacheFileName(IMAGE)).toBe(DIGEST);
  });

  it('should hash the bytes of the reference exactly, without trimming or folding', () => {
    expect(new Set(['a', 'A', ' a', 'a\n', 'ä', 'a\u0308'].map(cacheFileName)).size).toBe(6);
  });

  it.each([
    ['vfat', '0706d66'],
    ['ext4', '40d1d2c'],
    ['ext3', '66f137c'],
    ['xfs', '310201b'],
    ['ntfs', '68e98b8'],
  ])('should carry the first seven digits of the MD5 of %s', (filesystem, hash) => {
    expect(ephemeralFileName({ sizeGb: 20, filesystem })).toBe(`ephemeral_20_${hash}`);
  });

  it("should take Nova's default file system where none is given", () => {
    expect(ephemeralFileName({ sizeGb: 1 })).toBe('ephemeral_1_0706d66');
  });
});

describe('collectReferences', () => {
  it('should keep every reading of a reference with blanks and line ends: as it stands, and without them', () => {
    const { byDigest } = collectReferences([workload({ images: [{ role: 'image', ref: ` ${IMAGE}\n` }] })], '_base');
    expect([...byDigest.keys()]).toEqual([cacheFileName(` ${IMAGE}\n`), DIGEST]);
  });

  it('should protect image, kernel and ramdisk, each with who names it and through what', () => {
    const images = [
      { role: 'image', ref: IMAGE },
      { role: 'kernel', ref: 'k' },
      { role: 'ramdisk', ref: 'r' },
    ] as const;
    const { byDigest } = collectReferences([workload({ images })], '_base');
    expect(byDigest.get(DIGEST)).toEqual([{ by: 'vm-1', through: 'image', value: IMAGE }]);
    expect(byDigest.get(cacheFileName('k'))?.[0]?.through).toBe('kernel');
    expect(byDigest.get(cacheFileName('r'))?.[0]?.through).toBe('ramdisk');
  });

  it('should protect every swap and ephemeral disk, not just the first', () => {
    const { byName } = collectReferences(
      [workload({ swapMb: [512, 1024], ephemeral: [{ sizeGb: 20 }, { sizeGb: 40, filesystem: 'ext4' }] })],
      '_base',
    );
    expect([...byName.keys()]).toEqual(['swap_512', 'swap_1024', 'ephemeral_20_0706d66', 'ephemeral_40_40d1d2c']);
  });

  it('should list every workload that shares an image', () => {
    const images = [{ role: 'image', ref: IMAGE }] as const;
    const { byDigest } = collectReferences([workload({ images }), workload({ name: 'vm-2', images })], '_base');
    expect(byDigest.get(DIGEST)?.map(({ by }) => by)).toEqual(['vm-1', 'vm-2']);
  });

  it('should know the resize directories of an instance that is being resized, and only of such', () => {
    const { instanceNames } = collectReferences([workload({ resizing: true }), workload({ instanceNames: ['vm-2'] })], '_base');
    expect([...instanceNames]).toEqual(['vm-1', 'vm-1_resize', 'vm-2']);
  });

  it('should protect a base file that is used by its path, wherever the tree is mounted', () => {
    const { byName } = collectReferences([workload({ paths: ['/mnt/nova/_base/x/../abc', '/var/lib/nova/instances/vm-1/disk'] })], '_base');
    expect([...byName.keys()]).toEqual(['abc']);
  });

  it('should survive names that are properties of every object', () => {
    const { byName, byDigest } = collectReferences(
      [workload({ instanceNames: ['__proto__', 'constructor'], paths: ['/x/_base/__proto__'] })],
      '_base',
    );
    expect(byName.has('__proto__')).toBe(true);
    expect(byDigest.get('constructor')).toBeUndefined();
  });
});

describe('the memory of collectReferences', () => {
  it('should spare looking at a workload again, and look again at one that took its place', () => {
    const memory = { named: new WeakMap() };
    let looks = 0;
    const counted = {
      ...workload(),
      get images() {
        looks += 1;
        return [{ role: 'image', ref: IMAGE }] as const;
      },
    };
    const first = collectReferences([counted], '_base', memory);
    expect(collectReferences([counted], '_base', memory)).toEqual(first);
    expect(looks).toBe(1);
    const changed = workload({ images: [{ role: 'image', ref: 'other' }] });
    expect([...collectReferences([changed], '_base', memory).byDigest.keys()]).toEqual([cacheFileName('other')]);
  });
});
