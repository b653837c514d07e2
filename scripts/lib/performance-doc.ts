/** docs/performance.md: its text is written by hand, its table is that of bench/results.json. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readResults, resultsTable } from './results.ts';

const BEGIN = '<!-- npm run bench writes from here -->';
const END = '<!-- to here -->';

/** The document with its table made again. */
export function performanceDoc(): string {
  const text = readFileSync(fileURLToPath(new URL('../../docs/performance.md', import.meta.url)), 'utf8');
  const results = readResults();
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error('docs/performance.md has lost the marks of its table');
  const table = results === undefined ? 'Nothing has been measured yet.' : resultsTable(results);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`;
}
