import { describe, expect, it } from 'vitest';
import { describedValues } from '../../../scripts/chart/values-comments.ts';

describe('describedValues', () => {
  it('should take the comment above a key, joined to one line, and the value below it', () => {
    const source = '# no description\n\na:\n  # -- First\n  # and second line.\n  b: 1\n  # -- Another.\n  c: [x]\n# -- Last.\nd: {}\n';
    expect(describedValues(source)).toEqual([
      { path: 'a.b', description: 'First and second line.', value: 1 },
      { path: 'a.c', description: 'Another.', value: ['x'] },
      { path: 'd', description: 'Last.', value: {} },
    ]);
  });

  it('should describe a mapping as a whole, and those of its keys that have comments of their own', () => {
    expect(describedValues('# -- All.\na:\n  b: 1\n  # -- One.\n  c: 2\n').map(({ path }) => path)).toEqual(['a', 'a.c']);
  });

  it('should name a value that nothing describes', () => {
    expect(() => describedValues('a:\n  b: 1\n')).toThrow('"a.b" has no comment');
  });

  it('should refuse what is not a YAML mapping', () => {
    expect(() => describedValues('- a\n')).toThrow('no mapping');
    expect(() => describedValues('a: [\n')).toThrow();
  });
});
