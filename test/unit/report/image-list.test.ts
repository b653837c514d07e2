import { assert, constantFrom, dictionary, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileState } from '../../../src/model/reasons.ts';
import { ImageCollector, imageListText, parseImageList } from '../../../src/report/image-list.ts';
import { plannedFile } from '../../helpers/reports.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

function collected(...files: Parameters<typeof plannedFile>[0][]) {
  const collector = new ImageCollector();
  for (const file of files) collector.add(plannedFile(file));
  return collector.list();
}

describe('the images that a node publishes', () => {
  it('should each have the state of the file that is used most', () => {
    const { states, more } = collected(
      { name: A, reason: 'Unused' },
      { name: `${A}_20`, kind: 'resized', reason: 'BackingFileOfOverlay' },
      { name: `${A}_30`, kind: 'resized', reason: 'YoungerThanMinimumAge' },
      { name: B, reason: 'Unused' },
    );
    expect([...states]).toEqual([
      ['aaaaaaaa', 'backing'],
      ['bbbbbbbb', 'unused'],
    ]);
    expect(more).toBe(0);
  });

  it.each([
    ['swap', 'swap_512'],
    ['ephemeral', 'ephemeral_1_0706d66'],
    ['foreign', A],
  ] as const)('should not count files of the kind %s', (kind, name) => {
    expect(collected({ name, kind })).toEqual({ states: new Map(), more: 0 });
  });

  it('should say that there is more where a name is not a digest, as preset: nova takes any', () => {
    expect(collected({ name: 'Z'.repeat(40) })).toEqual({ states: new Map(), more: 1 });
  });

  it('should be readable again, and have what is used first', () => {
    const list = collected({ name: B, reason: 'Unused' }, { name: A });
    const text = imageListText(list, 2048) ?? '';
    expect(text).toBe('{"used":"aaaaaaaa","unused":"bbbbbbbb"}');
    expect(parseImageList(text)).toEqual({ states: new Map([['aaaaaaaa', 'used'], ['bbbbbbbb', 'unused']]), more: 0 }); // prettier-ignore
  });

  it('should say that there are none, which is not the same as saying nothing', () => {
    expect(imageListText({ states: new Map(), more: 0 }, 2048)).toBe('{}');
    expect(parseImageList('{}')).toEqual({ states: new Map(), more: 0 });
  });

  it('should never be longer than it may be, and lose no image without counting it', () => {
    const prefix = integer({ min: 0, max: 2 ** 32 - 1 }).map((number) => number.toString(16).padStart(8, '0'));
    const state = constantFrom<FileState>('used', 'backing', 'pinned', 'young', 'held', 'unused');
    assert(
      property(dictionary(prefix, state, { maxKeys: 300, size: 'max' }), integer({ min: 0, max: 2000 }), (images, maxBytes) => {
        const states = new Map(Object.entries(images));
        const text = imageListText({ states, more: 0 }, maxBytes);
        if (text === undefined) return;
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
        const read = parseImageList(text);
        expect((read?.states.size ?? 0) + (read?.more ?? 0)).toBe(states.size);
        for (const [shown, its] of read?.states ?? []) expect(its).toBe(states.get(shown));
      }),
    );
  });

  it('should hold a hundred images beside a long list of everything else', () => {
    const states = new Map(Array.from({ length: 100 }, (_, n) => [String(n).padStart(8, '0'), 'used' as const]));
    expect(parseImageList(imageListText({ states, more: 0 }, 1100))?.more).toBe(0);
  });

  it('should be no more than a count where a cache has more images than any annotation holds', () => {
    const many = Array.from({ length: 5000 }, (_, n) => ({ name: n.toString(16).padStart(8, '0').padEnd(40, '0') }));
    const { states, more } = collected(...many);
    expect({ kept: states.size, more }).toEqual({ kept: 4096, more: 904 });
  });

  it.each(['', 'null', '[]', '{', '"x"', '7'])('should be nothing where the annotation is not ours: %j', (text) => {
    expect(parseImageList(text)).toBeUndefined();
  });

  it('should be read without what makes no sense', () => {
    const text = '{"used":"aaaaaaaa AAAAAAAA zz bbbbbbbb","unused":7,"__proto__":"cccccccc","more":-3}';
    expect(parseImageList(text)).toEqual({ states: new Map([['aaaaaaaa', 'used'], ['bbbbbbbb', 'used']]), more: 0 }); // prettier-ignore
  });
});
