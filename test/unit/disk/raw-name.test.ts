import { array, assert, integer, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRawName, joinPath } from '../../../src/disk/raw-name.ts';

const listed = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('decodeRawName', () => {
  it('should give back any text', () => {
    assert(
      property(array(integer({ min: 1, max: 0x10ffff })), (codePoints) => {
        const text = String.fromCodePoint(...codePoints).toWellFormed();
        expect(decodeRawName(listed(Buffer.from(text)))).toEqual({ text });
      }),
    );
  });

  it('should keep the bytes of what is not text', () => {
    expect(decodeRawName('image\xff')).toEqual({ text: 'image\ufffd', bytes: Buffer.from('image\xff', 'latin1') });
  });
});

describe('joinPath', () => {
  it('should join text as text', () => {
    expect(joinPath('/i', { text: 'ä' })).toBe('/i/ä');
  });

  it('should stand for exactly the bytes that were listed', () => {
    assert(
      property(uint8Array({ minLength: 1, maxLength: 255 }), uint8Array({ minLength: 1 }), (directory, name) => {
        const path = joinPath(joinPath('/i', decodeRawName(listed(directory))), decodeRawName(listed(name)));
        expect(Buffer.from(path)).toEqual(Buffer.concat([Buffer.from('/i/'), directory, Buffer.from('/'), name]));
      }),
    );
  });
});
