/** The table of values in the chart's README. */
import type { DescribedValue } from './values-comments.ts';

const BEGIN = '<!-- begin of the generated table: npm run generate:chart -->';
const END = '<!-- end of the generated table -->';

/** The README with its table made again. Throws when the markers are not there. */
export function readmeWithTable(readme: string, values: readonly DescribedValue[]): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`README.md: "${BEGIN}" and "${END}" must be there, in this order`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${table(values)}${readme.slice(end)}`;
}

function table(values: readonly DescribedValue[]): string {
  const paths = values.map(({ path }) => path);
  const rows = values.map(({ path, description, value }) => {
    // Where the keys below have rows of their own, their defaults are there.
    const described = paths.some((it) => it.startsWith(`${path}.`));
    return `| \`${path}\` | ${described ? '' : `\`${cell(JSON.stringify(value))}\``} | ${cell(description)} |\n`;
  });
  return `| Value | Default | Meaning |\n|---|---|---|\n${rows.join('')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
