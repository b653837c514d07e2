import { describe, expect, it } from 'vitest';
import { parseYamlDocument, parseYamlDocuments } from '../../../../src/lib/yaml/document.ts';

describe('several documents', () => {
  it('should be read in their order, without those that are empty', () => {
    expect(parseYamlDocuments('a: 1\n---\n---\n{"b": [2]}\n')).toEqual({ values: [{ a: 1 }, { b: [2] }] });
  });

  it('should be none where the text is empty', () => {
    expect(parseYamlDocuments('')).toEqual({ values: [] });
  });

  it.each([
    ['a key that is given twice', 'a: 1\na: 2\n', 'a is given twice in one section; keep one of the two'],
    ['an alias without an anchor', 'a: *b\n', 'Unresolved alias'],
    ['more aliases than a person writes', `a: &a [x]\nb: [${Array.from({ length: 200 }, () => '*a').join(', ')}]\n`, 'Excessive alias'],
    ['a section with too many keys', Array.from({ length: 1001 }, (_, index) => `k${index}: 1\n`).join(''), 'more than 1000 keys'],
    ['deep nesting', '['.repeat(20_000), 'nested too deeply'],
    ['a broken text', 'a: [1\n', 'and end with a ]'],
  ])('should have the limits of one: %s', (_, text, message) => {
    const read = { one: parseYamlDocument(text), several: parseYamlDocuments(`first: true\n---\n${text}`) };
    expect(read.one.problems?.[0]?.message).toContain(message);
    expect(read.several.problems?.[0]?.message).toContain(message);
  });

  it('should say in which line of the whole text a mistake is', () => {
    expect(parseYamlDocuments('a: 1\n---\nb: 1\nb: 2\n').problems?.[0]?.at).toEqual({ line: 4, column: 1 });
  });
});
