import { describe, expect, it } from 'vitest';
import { readmeWithTable } from '../../../scripts/chart/readme.ts';

const BEGIN = '<!-- begin of the generated table: npm run generate:chart -->';
const END = '<!-- end of the generated table -->';

describe('readmeWithTable', () => {
  it('should replace what stands between the markers and nothing else', () => {
    const values = [
      { path: 'a', description: 'All of it.', value: { b: 'x|y' } },
      { path: 'a.b', description: 'One | two.', value: 'x|y' },
    ];
    expect(readmeWithTable(`before\n${BEGIN}\nold\n${END}\nafter\n`, values)).toBe(
      `before\n${BEGIN}\n| Value | Default | Meaning |\n|---|---|---|\n| \`a\` |  | All of it. |\n| \`a.b\` | \`"x\\|y"\` | One \\| two. |\n${END}\nafter\n`,
    );
  });

  it('should refuse a README without markers', () => {
    expect(() => readmeWithTable('# Chart\n', [])).toThrow('must be there');
    expect(() => readmeWithTable(`${END}\n${BEGIN}`, [])).toThrow('must be there');
  });
});
