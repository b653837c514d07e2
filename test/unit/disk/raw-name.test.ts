import { array, assert, constantFrom, integer, property, uint8Array } from 'fast-check';
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
    expect(decodeRawName('image\xff')).toEqual({ text: 'image\udcff', bytes: Buffer.from('image\xff', 'latin1') });
    // What is text in it stays text.
    expect(decodeRawName('\xc3\xa4\xe4\xef\xbf\xbd\xf0\x9f\x98\x80').text).toBe('ä\udce4\ufffd😀');
  });

  it('should have another text for each other name', () => {
    const few = array(constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xed, 0xa0, 0xef, 0xbd, 0xf0, 0x9f, 0xff), { minLength: 1, maxLength: 5 });
    assert(
      property(few, few, (one, other) => {
        const [first, second] = [one, other].map((bytes) => decodeRawName(listed(Uint8Array.from(bytes))).text);
        expect(first === second).toBe(String(one) === String(other));
      }),
    );
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
