import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { longLines, sentencesOf } from '../helpers/sentences.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Phrases that readers stumble over, and what docs/conventions.md says instead. */
const PHRASES: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/(?<!here )\b(?:is|was|are|were) no (?!longer\b)[a-zA-Z]/g, 'is not a'],
  [/(?<!here )\b(?:is|are) none\b/g, 'is not one'],
  [/\banew\b/g, 'again'],
  [/, too\b(?! )/g, 'as well'],
  [/\ball the same\b/g, 'anyway'],
  [/\b[Mm]end(?:s|ed|ing)?\b/g, 'fix'],
  [/\b[Ww]hoever\b/g, 'anyone who'],
  [/\bnobody can tell\b|\bcannot be told\b/g, 'is unknown'],
  [/\btroubles?\b/g, 'problem'],
  [/\b(?:[Tt]ells?|[Tt]old|[Tt]elling)\b/g, 'say, report or show'],
  [/\b(?:stands?|stood|standing) on\b/g, 'is backed by'],
  [/\bin vain\b|\bfor want of\b|\bas it goes now\b/g, 'what is meant'],
];

/** The document that lists the phrases. */
const EXEMPT: ReadonlySet<string> = new Set(['docs/conventions.md']);

/** What a document quotes are titles of tests and names of reports. */
function proseOf(path: string): string {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return path.endsWith('.md') ? text.replaceAll(/"[^"]*"/g, '""') : text;
}

function textFiles(): string[] {
  const below = (folder: string, name: RegExp): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => name.test(path))
      .map((path) => `${folder}/${path}`);
  const charts = below('charts', /\.(?:ya?ml|md|tpl|txt)$/);
  return [...below('src', /\.ts$/), ...below('docs', /\.md$/), ...charts, 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter(
    (path) => !EXEMPT.has(path),
  );
}

const MOST_WORDS = 30;
const MOST_COLUMNS = 200;

/** Documents of people: no sentence of them needs a second reading. */
const DOCUMENTS = [...textFiles().filter((path) => path.endsWith('.md')), ...EXEMPT];

describe('the wording', () => {
  it.each(PHRASES)('should not need %s', (phrase, instead) => {
    const found = textFiles().flatMap((path) => (proseOf(path).match(phrase) ?? []).map((text) => `${path}: ${text}`));
    expect(found, `write "${instead}" (docs/conventions.md)`).toEqual([]);
  });

  it('should look at sources, documents and the chart', () => {
    const files = textFiles();
    for (const path of ['src/plan/rules.ts', 'docs/concepts.md', 'charts/basekeeper/values.yaml']) expect(files).toContain(path);
  });

  it.each(DOCUMENTS)('should have no sentence above 30 words, and no line above 200 columns: %s', (path) => {
    // The table of the bench has figures, not sentences.
    const text = readFileSync(join(ROOT, path), 'utf8').replace(/<!-- npm run bench writes[^]*<!-- to here -->/, '');
    const long = sentencesOf(text).filter(({ words }) => words > MOST_WORDS);
    expect(long, 'make two sentences of one').toEqual([]);
    expect(longLines(text, MOST_COLUMNS), 'break the lines').toEqual([]);
  });
});

describe('the length of a sentence', () => {
  it('should count over the lines of a paragraph, and apart in items and cells', () => {
    const text = '# Title\n\nOne two\nthree. Four `a b c` [six seven](x y).\n\n- five\n  six\n- seven\n\n| a b | c |\n\n```\nx y z\n```\n';
    expect(sentencesOf(text).map(({ line, words }) => [line, words])).toEqual([
      [3, 3],
      [3, 4],
      [6, 2],
      [8, 1],
      [10, 2],
      [10, 1],
    ]);
  });

  it('should not count lines of tables and of code', () => {
    const long = 'x'.repeat(11);
    expect(longLines(`${long}\n| ${long} |\n\`\`\`\n${long}\n\`\`\`\n`, 10)).toEqual([1]);
  });
});
