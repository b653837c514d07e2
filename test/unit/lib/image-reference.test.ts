import { describe, expect, it } from 'vitest';
import { ambiguityOf, isPlain, listParts, readingsOf } from '../../../src/lib/image-reference.ts';

describe('an image reference', () => {
  it('should mean itself where it has no blanks', () => {
    expect(readingsOf('fd0cb2f1')).toEqual(['fd0cb2f1']);
    expect(isPlain('registry.example.org/a:b@sha256:c')).toBe(true);
  });

  it.each([
    ['a\n', ['a\n', 'a']],
    [' a', [' a', 'a']],
    ['a\r\nb', ['a\r\nb', 'a', 'b']],
    ['a b', ['a b', 'a', 'b']],
    ['\u00a0a', ['\u00a0a', 'a']],
    ['\n', ['\n']],
    ['a\0', ['a\0', 'a']],
    ['\u200ba\u0007b', ['\u200ba\u0007b', 'a\u0007b', 'a', 'b']],
  ])('%j should protect every reading, as it is written first', (written, readings) => {
    expect(readingsOf(written)).toEqual(readings);
    expect(isPlain(written)).toBe(false);
    expect(ambiguityOf(written)).toMatch(/blanks or line ends.*write the id without them/);
  });
});

describe('a list', () => {
  it('should mean the same with and without blanks around its separators', () => {
    expect(listParts('a,b', ',')).toEqual(['a', 'b']);
    expect(listParts(' a , b\n,,', ',')).toEqual(['a', 'b']);
    expect(listParts('a\r\nb\n\n', '\n')).toEqual(['a', 'b']);
  });
});
