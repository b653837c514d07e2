import { describe, expect, it } from 'vitest';
import { pinOfAnnotation, pinOfConfigMap, wantedOfAnnotation } from '../../../../src/sources/pins/pins.ts';

describe("the node's pin annotation", () => {
  it('should name image ids, and globs after file:', () => {
    expect(pinOfAnnotation('4bd1, file:swap_* , spaced ')).toEqual({
      origin: 'annotation basekeeper.io/pin',
      imageRefs: ['4bd1', 'spaced'],
      fileNames: ['swap_*'],
    });
  });

  it.each([undefined, '', ',,', ' , '])('should pin nothing when it is %j', (value) => {
    expect(pinOfAnnotation(value)).toBeUndefined();
  });
});

describe("the node's annotation of wanted images", () => {
  it('should pin the images that it names', () => {
    const origin = 'annotation basekeeper.io/wanted';
    expect(wantedOfAnnotation('4bd1, 8c2e ,')).toEqual({ origin, imageRefs: ['4bd1', '8c2e'], fileNames: [], wanted: ['4bd1', '8c2e'] });
    expect(wantedOfAnnotation(' , ')).toBeUndefined();
  });
});

describe('a ConfigMap of pins', () => {
  const map = (data: unknown) => ({ metadata: { name: 'golden', namespace: 'ops', uid: 'u' }, data });

  it('should list one image id or glob per line', () => {
    const { pin, gaps } = pinOfConfigMap(map({ imageRefs: 'a \nb\t\r\n\n c', fileNames: 'swap_* \n' }));
    expect(pin).toEqual({ origin: 'ConfigMap ops/golden', imageRefs: ['a', 'b', 'c'], fileNames: ['swap_*'] });
    expect(gaps).toEqual([]);
  });

  it('should pin the images that are wanted', () => {
    const { pin, gaps } = pinOfConfigMap(map({ imageRefs: 'a', wantedImages: 'b\n c' }));
    expect({ pin, gaps }).toEqual({
      pin: { origin: 'ConfigMap ops/golden', imageRefs: ['a', 'b', 'c'], fileNames: [], wanted: ['b', 'c'] },
      gaps: [],
    });
  });

  it('should report a key that means nothing: a pin may have been meant', () => {
    expect(pinOfConfigMap(map({ images: 'a' })).gaps).toMatchObject([
      { kind: 'IncompleteWorkload', message: expect.stringMatching(/key "images" is unknown/) },
    ]);
  });

  it.each([undefined, null, 5, [], { imageRefs: 7 }, { ['__proto__']: 'x' }])('should survive data of %j', (data) => {
    expect(pinOfConfigMap(map(data)).pin.imageRefs).toEqual([]);
  });
});
