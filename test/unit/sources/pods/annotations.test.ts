import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { readAnnotations } from '../../../../src/sources/pods/annotations.ts';

function read(annotations: Record<string, unknown>) {
  return readAnnotations(Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`basekeeper.io/${key}`, value])));
}

describe('the annotations of a VM', () => {
  it('should be read into references, names and sizes', () => {
    expect(
      read({
        'image-ref': 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0,second',
        'kernel-id': 'vmlinuz',
        'ramdisk-id': 'initrd',
        instance: 'instance-00000001,5f0e2c9a',
        'swap-mb': '512,1024',
        ephemeral: '20:ext4,10,5:mkfs.xfs -L data:1',
      }),
    ).toEqual({
      images: [
        { role: 'image', ref: 'fd0cb2f1-8375-44c9-b1f4-3e1f4c4a8ef0' },
        { role: 'image', ref: 'second' },
        { role: 'kernel', ref: 'vmlinuz' },
        { role: 'ramdisk', ref: 'initrd' },
      ],
      instanceNames: ['instance-00000001', '5f0e2c9a'],
      swapMb: [512, 1024],
      ephemeral: [{ sizeGb: 20, filesystem: 'ext4' }, { sizeGb: 10 }, { sizeGb: 5, filesystem: 'mkfs.xfs -L data:1' }],
      paths: [],
      problems: [],
    });
  });

  it('should be undefined where there is not ours', () => {
    expect(readAnnotations(undefined)).toBeUndefined();
    expect(readAnnotations({ 'kubectl.kubernetes.io/restartedAt': 'now', 'notbasekeeper.io/image-ref': 'x' })).toBeUndefined();
  });

  it('should say "no image" by an empty one: empty entries are dropped', () => {
    expect(read({ 'image-ref': '', 'swap-mb': '0', ephemeral: '0:ext4,' })).toEqual({
      images: [],
      instanceNames: [],
      swapMb: [],
      ephemeral: [],
      paths: [],
      problems: [],
    });
  });

  it('should mean the same with and without blanks around its commas', () => {
    const fields = read({ 'image-ref': 'a, b\n', instance: ' vm , vm-2', 'swap-mb': '512 ,1024', ephemeral: '20:ext4, 10' });
    expect(fields?.images.map(({ ref }) => ref)).toEqual(['a', 'b']);
    expect(fields).toMatchObject({ instanceNames: ['vm', 'vm-2'], swapMb: [512, 1024], problems: [] });
    expect(fields?.ephemeral).toEqual([{ sizeGb: 20, filesystem: 'ext4' }, { sizeGb: 10 }]);
  });

  it.each([
    ['swap-mb', 'lots', /swap-mb.*"lots".*a whole number of MB/],
    ['swap-mb', '-1', /-1/],
    ['swap-mb', '0512', /0512/],
    ['swap-mb', '1e3', /1e3/],
    ['swap-mb', '2147483648', /2147483648/],
    ['swap-mb', '5 12', /5 12/],
    ['ephemeral', 'ext4', /ephemeral.*"ext4".*20:ext4/],
    ['ephemeral', '20:', /20:/],
    ['ephemeral', ':ext4', /:ext4/],
    ['instance', '../etc', /instance.*"\.\.\/etc".*name of a directory/],
    ['instance', '..', /name of a directory/],
    ['instance', 'nul\0', /name of a directory/],
    ['image-refs', 'x', /image-refs.*unknown.*basekeeper\.io\/image-ref,/],
    ['image-ref', 5, /image-ref.*not a string/],
    ['image-ref', null, /not a string/],
    ['image-ref', ['a'], /not a string/],
    ['image-ref', 'x'.repeat(1025), /longer than 1024/],
  ])('should be a problem that names the annotation and what is expected: %s = %j', (key, value, message) => {
    expect(read({ [key]: value })?.problems).toEqual([expect.stringMatching(message)]);
  });

  it('should count in what can be read, where something else cannot', () => {
    const fields = read({ 'image-ref': 'good', 'swap-mb': '512,bad,1024' });
    expect(fields).toMatchObject({ images: [{ role: 'image', ref: 'good' }], swapMb: [512, 1024] });
    expect(fields?.problems).toHaveLength(1);
  });

  it('should stay small, whatever 256 KiB of annotation hold', () => {
    const many = read({ 'image-ref': Array.from({ length: 60_000 }, (_, index) => index.toString(36)).join(',') });
    expect(many?.images).toHaveLength(256);
    expect(many?.problems).toEqual([expect.stringContaining('more than 256 entries')]);

    const bad = read({ 'swap-mb': '☃'.repeat(80_000), ephemeral: 'x,'.repeat(125_000) });
    expect(bad?.problems).toHaveLength(2);
    expect(JSON.stringify(bad).length).toBeLessThan(2000);
  });

  it('should show control characters, not send them to a terminal', () => {
    expect(read({ 'swap-mb': '\u001b[2J' })?.problems[0]).toContain(String.raw`\u001b[2J`);
  });

  it('should survive any annotations, and never lose an image id in silence', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('image-ref', 'swap-mb', 'ephemeral', 'instance', '__proto__'), fc.anything()), (given) => {
        const fields = read(given);
        const refs = given['image-ref'];
        if (typeof refs !== 'string' || fields === undefined) return;
        const named = new Set(fields.images.map(({ ref }) => ref));
        const lost = refs.split(',').filter((ref) => ref.trim() !== '' && !named.has(ref.trim()));
        expect(lost.length === 0 || fields.problems.length > 0).toBe(true);
      }),
    );
  });
});
