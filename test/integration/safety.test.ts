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

describe.each(['docs/safety-evidence.md', 'docs/security.md'])('the tests that %s names', (document) => {
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
