import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GATE_REASONS, VERDICT_REASONS } from '../../src/model/reasons.ts';

interface NamedTest {
  readonly path: string;
  readonly title: string;
}

/** `path`: "title", "title": what a document says which test shows something. */
function namedTests(document: string): NamedTest[] {
  const text = readFileSync(document, 'utf8').replaceAll('\n', ' ');
  return [...text.matchAll(/`(test\/[^`]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title })),
  );
}

/** As it stands in the source, whatever quotes are around it. */
function hasTitle({ path, title }: NamedTest): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').replaceAll("\\'", "'").includes(title);
}

const promises = readFileSync('docs/safety.md', 'utf8');
const evidence = readFileSync('docs/safety-evidence.md', 'utf8');

describe.each(['docs/safety-evidence.md', 'docs/security.md', 'docs/threat-model.md'])('the tests that %s names', (document) => {
  it('should exist', () => {
    const named = namedTests(document);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((test) => !hasTitle(test))).toEqual([]);
  });
});

describe('docs/safety-evidence.md', () => {
  it('should name files, and tests in no other form', () => {
    const paths = [...evidence.matchAll(/`((?:src|test)\/[^`:]+)`/g)].map(([, path = '']) => path);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
    expect(evidence.match(/"[^"]*should [^"]+"/g)?.length).toBe(namedTests('docs/safety-evidence.md').length);
  });

  it('should explain every rule and every condition of the gate', () => {
    const reasons = [...Object.keys(VERDICT_REASONS), ...Object.keys(GATE_REASONS)].filter((reason) => reason !== 'Unused');
    expect(reasons.filter((reason) => !evidence.includes(`\`${reason}\``))).toEqual([]);
  });
});

/** The rows of all tables of a document, with the heading that each is below. */
function rowsOf(document: string): { readonly heading: string; readonly cells: readonly string[] }[] {
  let heading = '';
  return readFileSync(document, 'utf8')
    .split('\n')
    .flatMap((line, index, lines) => {
      if (line.startsWith('## ')) heading = line.slice(3);
      const isHead = lines[index + 1]?.startsWith('|---') === true || line.startsWith('|---');
      return line.startsWith('| ') && !isHead ? [{ heading, cells: line.slice(2, -2).split(' | ') }] : [];
    });
}

describe('docs/threat-model.md', () => {
  const rows = rowsOf('docs/threat-model.md');

  it('should have rows for each who may try', () => {
    const attackers = [
      'A guest',
      'A tenant',
      "Nova's user",
      'Another host',
      "Another pod's network",
      "Anyone who holds the agent's token",
      'A supplier',
    ];
    for (const who of attackers) expect(rows.filter(({ heading }) => heading.startsWith(who)).length, who).toBeGreaterThan(2);
  });

  it('should name a test that tries it in each row, and no test in another form', () => {
    const text = readFileSync('docs/threat-model.md', 'utf8');
    const untried = rows.filter(({ cells }) => cells.length !== 4 || !/`test\/[^`]+\.test\.ts`: "[^"]+"/.test(cells[3] ?? ''));
    expect(untried).toEqual([]);
    expect(text.match(/"[^"]*should [^"]+"/g)?.length).toBe(namedTests('docs/threat-model.md').length);
  });
});

describe('docs/safety.md', () => {
  it('should lead to every section of the evidence', () => {
    const sections = [...evidence.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
    expect(sections.length).toBeGreaterThan(5);
    expect(sections.filter((section) => !promises.includes(`(safety-evidence.md#${section})`))).toEqual([]);
  });

  it('should name commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...promises.matchAll(/`npm run ([a-z-]+)/g)].map(([, name = '']) => name);
    expect(new Set(named)).toEqual(new Set(['mutants', 'parity', 'races', 'faults', 'batch-sizes', 'fuzz', 'model', 'soak', 'soundness']));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});
