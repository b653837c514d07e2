import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { keyMistakes } from '../../../../src/lib/yaml/keys.ts';

const mistakes = (text: string) => keyMistakes(parseDocument(text, { uniqueKeys: false }));

describe('the keys of a YAML document', () => {
  it('should be given once in each section, wherever it is', () => {
    expect(mistakes('a: {b: 1}\nc: [{b: 1}, {b: 2}]')).toEqual([]);
    expect(mistakes('a: 1\nb: {c: 1, c: 2}\na: 3')).toEqual([
      { offset: 21, message: 'a is given twice in one section; keep one of the two' },
      { offset: 15, message: 'c is given twice in one section; keep one of the two' },
    ]);
  });

  it('should be the same key however it is quoted', () => {
    expect(mistakes('a: 1\n"a": 2')).toHaveLength(1);
  });

  it('should be named only where that is harmless', () => {
    expect(mistakes('"\\e[2J": 1\n"\\e[2J": 2')[0]?.message).toMatch(/^a key is given twice/);
  });

  it('should be a thousand at most', () => {
    const keys = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}: 1`).join('\n');
    expect(mistakes(keys(1000))).toEqual([]);
    expect(mistakes(keys(1001))).toEqual([{ offset: 0, message: 'a section has more than 1000 keys' }]);
  });
});
